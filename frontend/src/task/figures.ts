import type { OverviewDay } from "../api/client";
import { grouped } from "./grouped";

/** What some tasks came to. */
export interface Group {
  key: string;
  ended: number;
  green: number;
  tokens: number;
  /** In millionths; of tasks whose price is known. */
  costMicros: number;
  /** Tasks whose price is not. */
  unpriced: number;
  /** Half of the green ones took no longer, from the first step; and nine of ten. */
  p50: number | undefined;
  p90: number | undefined;
}

/** The least value with at least half of the weight at or below it. */
function middle(values: [value: number, weight: number][]): number | undefined {
  const sorted = values.toSorted(([a], [b]) => a - b);
  const half = sorted.reduce((sum, [, weight]) => sum + weight, 0) / 2;
  let below = 0;
  for (const [value, weight] of sorted) {
    below += weight;
    if (below >= half) return value;
  }
  return undefined;
}

const of = (rows: OverviewDay[], value: (row: OverviewDay) => number | null | undefined) =>
  middle(rows.flatMap((row) => (value(row) == null ? [] : [[value(row)!, row.green] as [number, number]])));

/** By whatever the key says, in the order in which the keys come up. Times are those of the parts, weighed. */
export function groups(rows: OverviewDay[], keyOf: (row: OverviewDay) => string): Group[] {
  return [...grouped(rows, keyOf)].map(([key, rows]) => {
    const sum = (value: (row: OverviewDay) => number) => rows.reduce((total, row) => total + value(row), 0);
    return {
      key,
      ended: sum((row) => row.ended),
      green: sum((row) => row.green),
      tokens: sum((row) => row.input_tokens + row.output_tokens),
      costMicros: sum((row) => row.cost_micros),
      unpriced: sum((row) => row.unpriced),
      p50: of(rows, (row) => row.to_green_ms_p50),
      p90: of(rows, (row) => row.to_green_ms_p90),
    };
  });
}

/** Every day of the span by its date in UTC, the oldest first: also those on which nothing ended. */
export function daysOf(span: number, now: number): string[] {
  const DAY_MS = 86_400_000;
  return Array.from({ length: span }, (_, n) => new Date(now - (span - 1 - n) * DAY_MS).toISOString().slice(0, 10));
}

export const rate = (group: Group) => (group.ended ? `${Math.round((100 * group.green) / group.ended)} %` : "–");
