import { expect, test } from "vitest";
import { Rate } from "./rate";

test("a rate is of the last five minutes, and begins anew when tasks are deleted", () => {
  const rate = new Rate();
  const seen = [
    [0, 100],
    [10_000, 101],
    [60_000, 110],
    [400_000, 120],
    [460_000, 150],
    [470_000, 20],
    [500_000, 21],
  ].map(([at, count]) => rate.take(count!, at!));
  expect(seen).toEqual([undefined, undefined, 10, undefined, 30, undefined, 2]);
});
