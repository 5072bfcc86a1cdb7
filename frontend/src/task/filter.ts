import type { paths } from "../api/schema";

/** What the host is asked for. */
export type TaskFilter = Omit<NonNullable<paths["/api/v1/tasks"]["get"]["parameters"]["query"]>, "cursor" | "limit">;

/** What a reader wishes to see: as the host is asked for it, but for times, which may be of "the last hour". */
export type Wish = Omit<TaskFilter, "since" | "until"> & { since?: string; until?: string };

const SPANS: Record<string, number> = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000, "30d": 2_592_000_000 };

export const spans = Object.keys(SPANS);

/** Whether it means other tasks as time goes by. */
export const moves = ({ since }: Wish) => since !== undefined && since in SPANS;

export function wishOf(params: URLSearchParams): Wish {
  const word = (name: string) => params.get(name) || undefined;
  const wish: Wish = {
    state: word("state") as Wish["state"],
    outcome: word("outcome") as Wish["outcome"],
    pipeline: word("pipeline"),
    model: word("model"),
    plugin: word("plugin"),
    text: word("text"),
    parent: word("parent"),
    dead: params.get("dead") === "true" || undefined,
    since: word("since"),
    until: word("until"),
  };
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined));
}

/** `1h` is of the last hour; everything else is a moment, such as `2026-11-30T08:00`. */
function moment(text: string | undefined, now: number): number | undefined {
  if (!text) return undefined;
  const span = SPANS[text];
  const at = span ? now - span : new Date(text).getTime();
  return Number.isNaN(at) ? undefined : at;
}

export function filterAt({ since, until, ...rest }: Wish, now: number): TaskFilter {
  const times = { since: moment(since, now), until: moment(until, now) };
  return { ...rest, ...Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined)) };
}
