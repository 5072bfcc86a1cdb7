import type { Round, Schema, Steps, Task } from "../api/client";

/** The round (from 1) whose tree a round began with; 0: the submitted files. */
export function beganWith(task: Task, number: number): number {
  const round = task.rounds.find((round) => round.number === number);
  const { next } = task;
  // One that is not over yet, or never was, says nothing of its base.
  if (!round) return next.step === "fix" ? (task.rounds[next.from]?.number ?? 0) : 0;
  if (round.base === task.spec.tree) return 0;
  return task.rounds.findLast((one) => one.number < number && one.tree === round.base)?.number ?? 0;
}

/** The round whose tree is the task's result; none where that is the submitted one. */
export const keptRound = (task: Task): Round | undefined => (task.outcome ? task.rounds[task.best ?? -1] : undefined);

/** Which round and plugin a step of the journal was; steps are numbered from 0 as they were begun. */
export function stepName(task: Task, step: number): string {
  let at = step;
  for (const round of task.rounds) {
    const record = round.steps[at];
    if (record) return `Step ${step + 1}: ${at === 0 ? round.kind : "check"} of round ${round.number} with ${record.plugin}`;
    at -= round.steps.length;
  }
  return `Step ${step + 1}`;
}

/** The parts in which a task's pipeline is not the one that is configured under its name. */
export function partsApart(own: Schema["Pipeline"], configured: Schema["Pipeline"]): Steps {
  const parts = (one: Schema["Pipeline"]) =>
    ({ builder: one.builder.name, checker: one.checker.name, fixer: one.fixer?.name, model: one.model ?? undefined }) satisfies Steps;
  const usual = parts(configured);
  return Object.fromEntries(Object.entries(parts(own)).filter(([part, name]) => name && name !== usual[part as keyof Steps]));
}
