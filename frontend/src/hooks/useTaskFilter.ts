import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import type { TaskFilter } from "../api/queries";

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

/** The filter of the task list; it lives in the URL, so that it can be sent to somebody. */
export function useTaskFilter() {
  const [params, setParams] = useSearchParams();
  const text = params.toString();
  const [now] = useState(() => Date.now());
  const filter = useMemo(() => {
    const params = new URLSearchParams(text);
    const word = (name: string) => params.get(name) ?? undefined;
    const span = SPANS[params.get("since") ?? ""];
    const since = span && now - span;
    return {
      state: word("state") as TaskFilter["state"],
      outcome: word("outcome"),
      pipeline: word("pipeline"),
      model: word("model"),
      plugin: word("plugin"),
      text: word("text"),
      since: since || undefined,
    } satisfies TaskFilter;
  }, [text, now]);
  const set = (name: string, value: string) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  return { filter, params, set, clear: () => setParams({}), isSet: text !== "", spans: Object.keys(SPANS) };
}
