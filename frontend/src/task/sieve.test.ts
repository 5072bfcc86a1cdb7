import { expect, test } from "vitest";
import { Sieve } from "./sieve";
import type { Line } from "./story";

const line = (number: number, text: string, level: Line["level"] = "info"): Line => ({ number, at: 0, level, source: "host", text });

test("a log is searched as it grows, whatever its colours", () => {
  const lines = [line(1, "\u001b[31mre\u001b[0md"), line(2, "blue"), line(3, "RED", "debug")];
  const sieve = new Sieve(lines, "Red", "info");
  expect(sieve.upTo(3).map(({ number }) => number)).toEqual([1]);
  lines.push(line(4, "a red one"), line(5, "unseen red"));
  expect(sieve.upTo(4).map(({ number }) => number)).toEqual([1, 4]);
});

test("each line is looked at once", () => {
  let looked = 0;
  const lines = Array.from({ length: 1000 }, (_, n) =>
    Object.defineProperty(line(n + 1, ""), "level", { get: () => ((looked += 1), "info") }),
  );
  const sieve = new Sieve(lines, "", "debug");
  for (let length = 1; length <= lines.length; length++) sieve.upTo(length);
  expect(looked).toBe(1000);
});
