import type { Round, Schema, Steps, Task, TaskSummary } from "../api/client";
import { plural } from "../format";

/** How many rounds a task has come to: those that are over, and the one it is at. A round whose step failed is none. */
export function roundsOf({ state, spend, budget }: Pick<TaskSummary, "state" | "spend" | "budget">): number {
  return state === "running" ? Math.min(spend.rounds + 1, budget.rounds) : spend.rounds;
}

/** The round whose tree counts; none: the files as they were submitted do. */
export const keptRound = (task: Task): Round | undefined => task.rounds[task.best ?? -1];

/** The same as people call it. */
export function resultOf(task: Task): string {
  const kept = keptRound(task);
  return (task.outcome ? "the result" : "the best so far") + (kept ? ` (round ${kept.number})` : "");
}

/** Whether a round's tests say that its tree is worth something. */
export const isWorth = ({ report }: Round) => Boolean(report && report.verdict !== "broken" && report.counts.passed > 0);

/** Which round an ended task has kept, where that is not clear by itself. */
export function keptOf(task: Task): string | undefined {
  const [kept, last] = [keptRound(task), task.rounds.at(-1)];
  if (!task.outcome || !last || kept === last) return undefined;
  if (!kept) return "Kept: the submitted files";
  const { passed = 0, failed = 0 } = kept.report?.counts ?? {};
  return `Kept: round ${kept.number}, ${passed} of ${plural(passed + failed, "test")} pass`;
}

/** What of its budget an ended task has used up, so that going on would end at once; none: it may go on. */
export function spentOf({ outcome, spend, spec }: Task): "rounds" | "budget" | undefined {
  if (Math.min(spec.budget.rounds, spec.pipeline.max_rounds) <= spend.rounds) return "rounds";
  return outcome?.reason.kind === "budget" ? (outcome.reason.limit === "rounds" ? "rounds" : "budget") : undefined;
}

/** The round (from 1) whose tree a round began with; 0: the submitted files. */
export function beganWith(task: Task, number: number): number {
  const round = task.rounds.find((round) => round.number === number);
  const { next } = task;
  // One that is not over yet, or never was, says nothing of its base.
  if (!round) return next.step === "fix" ? (task.rounds[next.from]?.number ?? 0) : 0;
  if (round.base === task.spec.tree) return 0;
  return task.rounds.findLast((one) => one.number < number && one.tree === round.base)?.number ?? 0;
}

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
