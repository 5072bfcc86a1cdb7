import { useMemo, useState } from "react";
import type { TaskFilter } from "../api/queries";
import { useAddress } from "./useAddress";

export const OUTCOMES = [
  "green",
  "not-green",
  "budget",
  "stuck",
  "stopped",
  "checks-broken",
  "step-failed",
  "model-failed",
  "cancelled",
  "crashed",
];

const SPANS: Record<string, number> = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000, "30d": 2_592_000_000 };
const NAMES = ["text", "state", "outcome", "pipeline", "model", "plugin", "since", "until", "parent", "dead"];

/** `1h` is of the last hour; everything else is a moment, such as `2026-11-30T08:00`. */
function moment(text: string | null, now: number): number | undefined {
  if (!text) return undefined;
  const span = SPANS[text];
  const at = span ? now - span : new Date(text).getTime();
  return Number.isNaN(at) ? undefined : at;
}

export function filterOf(params: URLSearchParams, now: number): TaskFilter {
  const word = (name: string) => params.get(name) ?? undefined;
  const filter: TaskFilter = {
    state: word("state") as TaskFilter["state"],
    outcome: word("outcome") as TaskFilter["outcome"],
    pipeline: word("pipeline"),
    model: word("model"),
    plugin: word("plugin"),
    text: word("text"),
    parent: word("parent"),
    dead: params.get("dead") === "true" || undefined,
    since: moment(params.get("since"), now),
    until: moment(params.get("until"), now),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

/** The filter of the task list; it lives in the URL, so that it can be sent to somebody. */
export function useTaskFilter() {
  const [params, set] = useAddress();
  const text = params.toString();
  const [now] = useState(() => Date.now());
  const filter = useMemo(() => filterOf(new URLSearchParams(text), now), [text, now]);
  return {
    filter,
    params,
    set,
    clear: () => set(Object.fromEntries(NAMES.map((name) => [name, ""]))),
    isSet: NAMES.some((name) => params.has(name)),
    spans: Object.keys(SPANS),
  };
}
