import { expect, test } from "vitest";
import type { TaskSummary } from "../api/client";
import { groups, rate } from "./figures";

function task(pipeline: string, kind: string, took: number, cost: number | null = 5): TaskSummary {
  return {
    pipeline,
    state: "ended",
    reason: { kind },
    started_at: 1000,
    ended_at: 1000 + took,
    spend: { input_tokens: 10, output_tokens: 1, model_calls: 1, cost_micros: cost, rounds: 2 },
  } as unknown as TaskSummary;
}

test("tasks are summed by their key; cancelled ones count for no rate", () => {
  const [a, b] = groups(
    [task("a", "green", 10), task("a", "green", 30), task("a", "stuck", 900), task("a", "cancelled", 1), task("b", "green", 7, null)],
    (task) => task.pipeline,
  );
  expect(a).toEqual({ key: "a", tasks: 4, ended: 3, green: 2, tokens: 44, costMicros: 20, medianMs: 30, rounds: 8 });
  expect(b).toMatchObject({ costMicros: undefined, medianMs: 7 });
  expect([rate(a!), rate(b!)]).toEqual(["67 %", "100 %"]);
});
