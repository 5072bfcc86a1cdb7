import { expect, test } from "vitest";
import { pipeline, tasks } from "../mock/data";
import { beganWith, keptOf, partsApart, resultOf, roundsOf, spentOf, stepName } from "./rounds";

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

test("the round a task is at counts as one, and a round that never came to be does not", () => {
  const { spend, spec: { budget } } = green;
  const at = (state: "queued" | "running" | "ended", rounds: number) => roundsOf({ state, budget, spend: { ...spend, rounds } });
  expect([at("queued", 0), at("running", 1), at("running", 4), at("ended", 0), at("ended", 4)]).toEqual([0, 2, 4, 0, 4]);
});

test("a result that is not the last round's is told", () => {
  expect([keptOf(green), resultOf(green)]).toEqual([undefined, "the result (round 2)"]);
  const worse = { ...green, best: 0 };
  expect([keptOf(worse), resultOf(worse)]).toEqual(["Kept: round 1, 2 of 3 tests pass", "the result (round 1)"]);
  expect(keptOf({ ...green, best: null })).toBe("Kept: the submitted files");
});

test("a spent budget ends a task again at once", () => {
  const failed = tasks.find((task) => task.outcome?.reason.kind === "crashed")!;
  const rounds = (rounds: number) => spentOf({ ...failed, spend: { ...failed.spend, rounds } });
  expect([rounds(1), rounds(4)]).toEqual([undefined, "rounds"]);
  expect(spentOf({ ...failed, outcome: { ...failed.outcome!, reason: { kind: "budget", limit: "tokens" } } })).toBe("budget");
});
