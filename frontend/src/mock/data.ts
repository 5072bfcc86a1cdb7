import type { AuditEntry, OverviewDay, Schema, Task, TaskEvent } from "../api/client";

/** What a host could say, for the page without one. The types are the API's: what is out of date fails to compile. */

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const MINUTE = 60_000;

export const pipeline: Schema["Pipeline"] = {
  name: "default",
  builder: { name: "builder" },
  checker: { name: "check-python" },
  fixer: { name: "fixer" },
  model: "default",
  candidates: 1,
  max_rounds: 4,
  temperatures: [0, 0.8],
  protected: [".github/**"],
};

const budget: Schema["Budget"] = { rounds: 4, tokens: 100_000, wall_ms: 30 * MINUTE, compute_ms: 10 * MINUTE };

const report = (passed: number, failed: number, problems: Schema["CheckProblem"][] = []): Schema["Report"] => ({
  verdict: failed ? "failed" : "passed",
  counts: { passed, failed, skipped: 0 },
  problems,
  output: "",
});

const failure = report(2, 1, [
  { test: "test_fifteen", path: "test_fizz.py", line: 9, message: 'AssertionError: assert fizz(15)[-1] == "FizzBuzz"' },
]);

const round = (number: number, kind: Schema["RoundKind"], found: Schema["Report"]): Schema["Round"] => ({
  number,
  kind,
  base: digest("0"),
  tree: digest(String(number)),
  summary: kind === "build" ? "wrote fizz.py" : "rewrote fizz.py",
  report: found,
  steps: [],
});

const GOAL = `Write \`fizz.py\` with **fizz(n)**.

- multiples of 3 are \`Fizz\`
- multiples of 5 are \`Buzz\``;

/** One of each state; the first runs for as long as the page is open. */
export const tasks: Task[] = [
  { state: "running", reason: undefined, rounds: 1 },
  { state: "ended", reason: { kind: "green" } as const, rounds: 2 },
  { state: "ended", reason: { kind: "budget", limit: "rounds" } as const, rounds: 1 },
  { state: "queued", reason: undefined, rounds: 0 },
  { state: "ended", reason: { kind: "crashed", message: "the worker mock-2 was killed" } as const, rounds: 1 },
].map(({ state, reason, rounds }, index): Task => {
  const submitted_at = Date.now() - (index + 1) * 7 * MINUTE;
  return {
    id: `01JAM0CK00000000000000000${index}`,
    state: state as Task["state"],
    spec: { goal: GOAL, tree: digest("0"), tests: ["test_fizz.py"], pipeline, budget },
    submitted_at,
    started_at: state === "queued" ? null : submitted_at + 800,
    ended_at: state === "ended" ? submitted_at + 16_000 : null,
    worker: state === "running" ? "mock-1" : null,
    step: rounds * 2,
    next: { step: "build" },
    rounds: [round(1, "build", failure), round(2, "fix", report(3, 0))].slice(0, rounds),
    best: rounds ? rounds - 1 : null,
    spend: { rounds, input_tokens: 482 * rounds, output_tokens: 167 * rounds, model_calls: rounds, compute_ms: 34, wall_ms: 16_000 },
    outcome: reason ? { reason, tree: digest(String(rounds)), report: rounds === 2 ? report(3, 0) : failure } : null,
  };
});

export const summary = (task: Task): Schema["TaskSummary"] => ({
  id: task.id,
  goal: task.spec.goal.slice(0, 200),
  state: task.state,
  reason: task.outcome?.reason,
  cancel: task.cancel ?? false,
  place: { queue: "default", tenant: "default", priority: 4 },
  pipeline: task.spec.pipeline.name,
  model: task.spec.pipeline.model,
  rounds: task.rounds.length,
  budget: task.spec.budget,
  spend: task.spend,
  worker: task.worker,
  submitted_at: task.submitted_at,
  started_at: task.started_at,
  ended_at: task.ended_at,
});

type Body = TaskEvent extends infer E ? (E extends TaskEvent ? Omit<E, "id" | "task" | "at"> : never) : never;

/** What a task's steps have told so far. */
export function eventsOf(task: Task): TaskEvent[] {
  const bodies: Body[] = [{ type: "submitted" }];
  if (task.started_at) bodies.push({ type: "claimed", worker: "mock-1", again: false });
  const begun = (number: number, kind: string): Body[] => [
    { type: "step-started", round: number, kind, plugin: kind === "fix" ? "fixer" : "builder", replayed: 0 },
    { type: "model-started", round: number, call: number, model: "default" },
  ];
  for (const { number, kind, summary, report } of task.rounds) {
    bodies.push(
      ...begun(number, kind),
      { type: "tokens", call: number, text: "```python\n# fizz.py\ndef fizz(n): ...\n```\n" },
      { type: "model-ended", call: number, input_tokens: 482, output_tokens: 167, wall_ms: 3_000 },
      { type: "proposed", round: number, kind, summary, tree: digest(String(number)) },
      { type: "step-ended", round: number, kind, plugin: "builder", compute_ms: 12, wall_ms: 3_000 },
      { type: "step-started", round: number, kind: "check", plugin: "check-python", replayed: 0 },
      { type: "checked", round: number, report: report! },
      { type: "step-ended", round: number, kind: "check", plugin: "check-python", compute_ms: 5, wall_ms: 20 },
    );
  }
  if (task.state === "running") bodies.push(...begun(task.rounds.length + 1, "fix"));
  if (task.outcome) bodies.push({ type: "ended", outcome: task.outcome, spend: task.spend });
  const from = task.started_at ?? task.submitted_at;
  return bodies.map((body, index) => ({ id: index + 1, task: task.id, at: from + index * 400, ...body }) as TaskEvent);
}

export const PATCH = `diff --git a/fizz.py b/fizz.py
new file mode 100644
--- /dev/null
+++ b/fizz.py
@@ -0,0 +1,2 @@
+def fizz(n):
+    return ["FizzBuzz" if i % 15 == 0 else str(i) for i in range(1, n + 1)]
`;

export const files = {
  "fizz.py": 'def fizz(n):\n    return ["FizzBuzz" if i % 15 == 0 else str(i) for i in range(1, n + 1)]\n',
  "test_fizz.py": `from fizz import fizz\n\n\ndef test_three(): ...\n\n\ndef test_fifteen():\n    found = fizz(15)[-1]\n    assert found == "FizzBuzz"\n`,
};

export const plugins: Schema["Listing"] = {
  generation: 3,
  loaded: (["builder", "fixer", "checker", "adapter"] as const).map((kind) => ({
    name: { builder: "builder", fixer: "fixer", checker: "check-python", adapter: "adapter-openai" }[kind],
    kind,
    file: `${kind}.wasm`,
    digest: digest("a"),
    policy: digest("b"),
    contract: "aiagent:step@0.1.0",
    exports: [],
    grants: ["workspace", "model"],
    imports: [{ name: "aiagent:step/workspace@0.1.0", allows: "read and write the task's files", granted: true }],
    limits: { compute_ms: 10_000, wall_ms: 600_000, memory_bytes: 128 << 20, output_bytes: 1 << 20, log_bytes: 256 << 10 },
    size_bytes: 300_000,
    since: Date.now() - 60 * MINUTE,
    uses: { calls: 12, passed: 11, pass_rate: 11 / 12, median_us: 21_000, traps_in_a_row: 0 },
  })),
  refused: [
    {
      file: "builder.wasm",
      status: "held-back",
      digest: digest("e"),
      still_serving: digest("a"),
      reason: "it asks for exec, which the one that serves does not",
      remedy: "allow it on the page, or aiagent-host plugins allow builder",
    },
    { file: "greedy.wasm", status: "refused", reason: "imports aiagent:step/exec, which nobody granted", remedy: '[plugins.greedy] grants = ["exec"]' },
  ],
  history: [{ at: Date.now() - 60 * MINUTE, generation: 3, plugin: "fixer", what: "replaced", from: digest("c"), to: digest("a") }],
};

export const about: Schema["About"] = {
  version: "mock",
  worker: true,
  replay: false,
  budget,
  models: [
    { name: "default", model: "mock-model", adapter: "adapter-openai", priced: false },
    { name: "large", model: "mock-large", adapter: "adapter-openai", priced: true },
  ],
  limits: { goal_bytes: 256 << 10, tree_bytes: 64 << 20, files: 10_000 },
  git_dirs: [],
  git_urls: [],
};

export const workers = (): Schema["WorkerInfo"][] => [
  {
    name: "mock-1",
    host: "machine",
    pid: 4711,
    version: "mock",
    running: 1,
    capacity: 4,
    draining: false,
    started_at: Date.now() - 90.5 * MINUTE,
    seen_at: Date.now() - 4_000,
  },
];

export const queues: Schema["QueueStats"][] = [
  { name: "default", paused: false, waiting: 1, delayed: 0, running: 1 },
  { name: "nightly", paused: true, waiting: 0, delayed: 12, running: 0 },
];

/** The same figures at every look: they go up and down, and differ by pipeline. */
export function overview(span: number): OverviewDay[] {
  return Array.from({ length: span }, (_, n) =>
    ["default", "strong"].map((pipeline, part): OverviewDay => {
      const ended = 6 + ((n * 7) % 11) + part;
      return {
        day: new Date(Date.now() - (span - 1 - n) * 24 * 60 * MINUTE).toISOString().slice(0, 10),
        pipeline,
        model: part ? "large" : "default",
        ended,
        green: ended - ((n * 3) % 5),
        input_tokens: ended * 4_200,
        output_tokens: ended * 900,
        cost_micros: part ? ended * 12_000 : 0,
        unpriced: part ? 0 : ended,
        to_green_ms_p50: 9_000 + 4_000 * part + ((n * 13) % 7) * 800,
        to_green_ms_p90: 30_000 + 9_000 * part,
      };
    }),
  ).flat();
}

export const audit = (): AuditEntry[] =>
  (
    [
      { what: "submitted", who: "ann", role: "submitter", subject: tasks[0]!.id },
      { what: "allowed", who: "root", role: "administrator", subject: "builder.wasm" },
      { what: "log-in-refused", who: "nobody", role: null, subject: "" },
    ] as const
  ).map((entry, index) => ({ id: String(3 - index), at: Date.now() - index * 5 * MINUTE, address: "127.0.0.1", ...entry }));

/** Of the first round's build. */
export const journal: Schema["StepJournal"][] = [
  {
    step: 0,
    entries: [
      {
        index: 0,
        kind: "model",
        asked: digest("d"),
        request: JSON.stringify({ messages: [{ role: "system", content: "You write code." }, { role: "user", content: GOAL }], temperature: 0 }),
        answer: JSON.stringify({ result: { Ok: { text: "```python\n# fizz.py\ndef fizz(n): ...\n```" } } }),
      },
    ],
  },
];

export const samples: Schema["Sample"][] = [
  { name: "fizz", goal: GOAL, files: [{ path: "test_fizz.py", content: "from fizz import fizz\n" }] },
];
