import { expect, test } from "vitest";
import type { OverviewDay } from "../api/client";
import { daysOf, groups, rate } from "./figures";

const row = (day: string, pipeline: string, more: Partial<OverviewDay> = {}): OverviewDay => ({
  day,
  pipeline,
  ended: 4,
  green: 2,
  input_tokens: 10,
  output_tokens: 5,
  cost_micros: 7,
  unpriced: 1,
  ...more,
});

test("the parts of a day are added up, and their times weighed", () => {
  const rows = [
    row("2026-11-29", "a", { green: 3, to_green_ms_p50: 100, to_green_ms_p90: 200 }),
    row("2026-11-29", "b", { green: 1, to_green_ms_p50: 9_000, to_green_ms_p90: 9_500 }),
    row("2026-11-30", "a", { ended: 0, green: 0 }),
  ];
  const [first, second] = groups(rows, ({ day }) => day);
  expect(first).toEqual({ key: "2026-11-29", ended: 8, green: 4, tokens: 30, costMicros: 14, unpriced: 2, p50: 100, p90: 200 });
  expect(second).toMatchObject({ ended: 0, p50: undefined });
  expect([rate(first!), rate(second!)]).toEqual(["50 %", "–"]);
});

test("a day without a task is a day, too", () => {
  expect(daysOf(3, Date.UTC(2026, 11, 1, 23, 59))).toEqual(["2026-11-29", "2026-11-30", "2026-12-01"]);
});
