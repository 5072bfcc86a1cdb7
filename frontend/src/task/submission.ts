import type { Steps, SubmitBody, Task } from "../api/client";
import type { Draft, DraftFile } from "../hooks/useDraft";

type Wish = NonNullable<SubmitBody["budget"]>;

const number = (text: string) => (text.trim() === "" ? undefined : Number(text));

export const lines = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** Without what is left to the host; `undefined` when nothing is left. */
export function some<T extends object>(wish: T): T | undefined {
  const chosen = Object.entries(wish).filter(([, value]) => value !== undefined && value !== "");
  return chosen.length ? (Object.fromEntries(chosen) as T) : undefined;
}

function budgetOf(draft: Draft): Wish | undefined {
  const minutes = number(draft.minutes);
  return some({
    rounds: number(draft.rounds),
    tokens: number(draft.tokens),
    cost: number(draft.cost),
    wall_s: minutes === undefined ? undefined : Math.round(minutes * 60),
  });
}

const placeOf = (draft: Draft) => some({ queue: draft.queue.trim(), priority: number(draft.priority) });

/** The part of a submission that does not depend on where its files come from. */
function commonOf(draft: Draft, tests: string[]) {
  const globs = lines(draft.protected);
  return {
    goal: draft.goal,
    pipeline: draft.pipeline || undefined,
    tests: tests.length ? tests : undefined,
    protected: globs.length ? globs : undefined,
    steps: some<Steps>(draft.steps),
    budget: budgetOf(draft),
    place: placeOf(draft),
  };
}

/** Whether a repository is elsewhere, and not beside the host. Those have a whole path. */
const isUrl = (place: string) => !place.startsWith("/");

export function bodyOf(draft: Draft): SubmitBody {
  if (draft.source === "git") {
    const place = draft.gitPath.trim();
    const revision = draft.gitRevision.trim() || undefined;
    const git = isUrl(place) ? { url: place, revision } : { path: place, revision };
    return { ...commonOf(draft, lines(draft.tests)), git };
  }
  const marked = draft.files.filter((file) => file.isTest).map((file) => file.path);
  const files = draft.files.map(({ path, content, base64 }) => (base64 === undefined ? { path, content } : { path, base64 }));
  return { ...commonOf(draft, marked), files };
}

/** The fields of the form that carries an archive, but for the archive. */
function fieldsOf(draft: Draft): [string, string][] {
  const { goal, pipeline, tests = [], protected: globs = [], ...objects } = commonOf(draft, lines(draft.tests));
  return [
    ["goal", goal],
    ...(pipeline ? [["pipeline", pipeline] as [string, string]] : []),
    ...tests.map((path): [string, string] => ["tests", path]),
    ...globs.map((glob): [string, string] => ["protected", glob]),
    ...Object.entries(objects)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): [string, string] => [name, JSON.stringify(value)]),
    ["strip", "true"],
  ];
}

export function formOf(draft: Draft, archive: File): FormData {
  const form = new FormData();
  for (const [name, value] of fieldsOf(draft)) form.append(name, value);
  form.append("archive", archive);
  return form;
}

/** What a task was asked for, to be changed and submitted anew. `files`: those it began with. */
export function draftOf({ spec, place }: Task, files: DraftFile[]): Omit<Draft, "source" | "gitPath" | "gitRevision" | "tests"> {
  const { goal, pipeline, budget, changes, tests = [] } = spec;
  const text = (value: number | null | undefined, unit = 1) => (value == null ? "" : String(value / unit));
  const steps = Object.entries(changes?.steps ?? {}).filter(([, name]) => name != null);
  return {
    goal,
    pipeline: pipeline.name,
    steps: Object.fromEntries(steps),
    files: files.map((file) => ({ ...file, isTest: tests.includes(file.path) })),
    protected: (changes?.protected ?? []).join("\n"),
    rounds: text(budget.rounds),
    tokens: text(budget.tokens),
    cost: text(budget.cost_micros, 1e6),
    minutes: text(budget.wall_ms, 60_000),
    queue: place && place.queue !== "default" ? place.queue : "",
    priority: text(place?.priority),
  };
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** The same with curl. */
export function curlOf(draft: Draft, origin: string, archive?: { name: string }): string {
  const sent = archive
    ? [...fieldsOf(draft).map(([name, value]) => `--form-string ${quoted(`${name}=${value}`)}`), `-F ${quoted(`archive=@${archive.name}`)}`]
    : [`-H 'Content-Type: application/json'`, `-d ${quoted(JSON.stringify(bodyOf(draft)))}`];
  return [`curl ${origin}/api/v1/tasks`, ...sent].join(" \\\n  ");
}

/** The same from a folder that holds the files. */
export function commandOf(draft: Draft, origin: string, archive?: { name: string }): string {
  const git = draft.source === "git";
  const marked = draft.files.filter((file) => file.isTest).map((file) => file.path);
  const option = (name: string, ...values: string[]) => {
    const words = values.map((value) => value.trim()).filter((value) => value !== "");
    return words.length ? [`--${name} ${words.map(quoted).join(" ")}`] : [];
  };
  return [
    `aiagent-host submit ${quoted(draft.goal)}`,
    ...(git ? option("git", draft.gitPath) : archive ? option("dir", archive.name) : draft.files.length ? ["--dir ."] : []),
    ...(git ? option("rev", draft.gitRevision) : []),
    ...option("tests", ...(git || archive ? lines(draft.tests) : marked)),
    ...option("pipeline", draft.pipeline),
    ...option("builder", draft.steps.builder ?? ""),
    ...option("checker", draft.steps.checker ?? ""),
    ...option("fixer", draft.steps.fixer ?? ""),
    ...option("model", draft.steps.model ?? ""),
    ...option("protect", ...lines(draft.protected)),
    ...option("rounds", draft.rounds),
    ...option("tokens", draft.tokens),
    ...option("cost", draft.cost),
    ...option("minutes", draft.minutes),
    ...option("queue", draft.queue),
    ...option("priority", draft.priority),
    `--server ${origin} --follow`,
  ].join(" \\\n  ");
}
