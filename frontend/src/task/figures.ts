import type { TaskSummary } from "../api/client";

/** What some tasks came to. */
export interface Group {
  key: string;
  tasks: number;
  ended: number;
  green: number;
  tokens: number;
  /** In millionths; `undefined` when the cost of any of them is unknown. */
  costMicros: number | undefined;
  /** From the first claim to green. */
  medianMs: number | undefined;
  rounds: number;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** By whatever the key says, in the order in which the keys come up. */
export function groups(tasks: TaskSummary[], keyOf: (task: TaskSummary) => string): Group[] {
  const sorted = new Map<string, TaskSummary[]>();
  for (const task of tasks) {
    const key = keyOf(task);
    const there = sorted.get(key);
    if (there) there.push(task);
    else sorted.set(key, [task]);
  }
  return [...sorted].map(([key, tasks]) => {
    // What somebody cancelled says nothing about how well it went.
    const ended = tasks.filter((task) => task.state === "ended" && task.reason?.kind !== "cancelled");
    const green = ended.filter((task) => task.reason?.kind === "green");
    const times = green.flatMap((task) => (task.started_at && task.ended_at ? [task.ended_at - task.started_at] : []));
    const sum = (of: (task: TaskSummary) => number) => tasks.reduce((total, task) => total + of(task), 0);
    const priced = tasks.every((task) => task.spend.model_calls === 0 || task.spend.cost_micros != null);
    return {
      key,
      tasks: tasks.length,
      ended: ended.length,
      green: green.length,
      tokens: sum((task) => task.spend.input_tokens + task.spend.output_tokens),
      costMicros: priced ? sum((task) => task.spend.cost_micros ?? 0) : undefined,
      medianMs: median(times),
      rounds: sum((task) => task.spend.rounds),
    };
  });
}

export const rate = (group: Group) => (group.ended ? `${Math.round((100 * group.green) / group.ended)} %` : "–");
