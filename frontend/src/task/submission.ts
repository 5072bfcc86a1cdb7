import type { Schema } from "../api/client";
import type { Draft } from "../hooks/useDraft";

type Wish = NonNullable<Schema["SubmitBody"]["budget"]>;

export function budgetOf(draft: Draft): Wish {
  const number = (text: string) => (text.trim() === "" ? undefined : Number(text));
  const minutes = number(draft.minutes);
  return {
    rounds: number(draft.rounds),
    tokens: number(draft.tokens),
    cost: number(draft.cost),
    wall_s: minutes === undefined ? undefined : Math.round(minutes * 60),
  };
}

export function bodyOf(draft: Draft): Schema["SubmitBody"] {
  return {
    goal: draft.goal,
    pipeline: draft.pipeline || undefined,
    files: draft.files.map(({ path, content, base64 }) => (base64 === undefined ? { path, content } : { path, base64 })),
    tests: draft.files.filter((file) => file.isTest).map((file) => file.path),
    budget: budgetOf(draft),
  };
}

export function formOf(draft: Draft, archive: File): FormData {
  const form = new FormData();
  form.append("goal", draft.goal);
  if (draft.pipeline) form.append("pipeline", draft.pipeline);
  form.append("budget", JSON.stringify(budgetOf(draft)));
  form.append("strip", "true");
  form.append("archive", archive);
  return form;
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** The same with curl. */
export function curlOf(draft: Draft, origin: string): string {
  return [
    `curl ${origin}/api/v1/tasks`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(JSON.stringify(bodyOf(draft)))}`,
  ].join(" \\\n  ");
}

/** The same from a folder that holds the files. */
export function commandOf(draft: Draft, origin: string): string {
  const tests = draft.files.filter((file) => file.isTest).map((file) => quoted(file.path));
  const option = (name: string, value: string) => (value ? [`--${name} ${quoted(value)}`] : []);
  return [
    `aiagent-host submit ${quoted(draft.goal)}`,
    ...(draft.files.length ? ["--dir ."] : []),
    ...(tests.length ? [`--tests ${tests.join(" ")}`] : []),
    ...option("pipeline", draft.pipeline),
    ...option("rounds", draft.rounds),
    ...option("tokens", draft.tokens),
    ...option("cost", draft.cost),
    ...option("minutes", draft.minutes),
    `--server ${origin} --follow`,
  ].join(" \\\n  ");
}
