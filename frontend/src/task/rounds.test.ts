import { expect, test } from "vitest";
import { pipeline, tasks } from "../mock/data";
import { beganWith, partsApart, stepName } from "./rounds";

const green = tasks.find((task) => task.outcome?.reason.kind === "green")!;
const record = (plugin: string) => ({ plugin }) as (typeof green.rounds)[number]["steps"][number];
const fixed = {
  ...green,
  rounds: green.rounds.map((round, index) => ({
    ...round,
    base: index === 0 ? green.spec.tree : green.rounds[0]!.tree!,
    steps: [record(index === 0 ? "builder" : "fixer"), record("check-python")],
  })),
};

test("a round began with the submission, or with what another one left", () => {
  expect([beganWith(fixed, 1), beganWith(fixed, 2), beganWith(fixed, 3)]).toEqual([0, 1, 0]);
  expect(beganWith({ ...fixed, next: { step: "fix", from: 1 } }, 3)).toBe(2);
});

test("a step of the journal has a round and a plugin, once its round is over", () => {
  expect([0, 1, 2, 3, 4].map((step) => stepName(fixed, step))).toEqual([
    "Step 1: build of round 1 with builder",
    "Step 2: check of round 1 with check-python",
    "Step 3: fix of round 2 with fixer",
    "Step 4: check of round 2 with check-python",
    "Step 5",
  ]);
});

test("other parts than the configured ones are told", () => {
  const own = { ...pipeline, model: "large", builder: { name: "builder-two" } };
  expect(partsApart(own, pipeline)).toEqual({ builder: "builder-two", model: "large" });
  expect(partsApart(pipeline, pipeline)).toEqual({});
});
