import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { filterAt, moves, type Wish } from "../task/filter";
import { Rate } from "../task/rate";
import { client, unwrap } from "./client";

export const session = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/session", { signal })),
  staleTime: Infinity,
});

export const about = queryOptions({
  queryKey: ["about"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/about", { signal })),
  staleTime: 60_000,
});

export const samples = queryOptions({
  queryKey: ["samples"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/samples", { signal })),
  staleTime: Infinity,
});

export const pipelines = queryOptions({
  queryKey: ["pipelines"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/pipelines", { signal })),
  staleTime: 60_000,
});

export const plugins = queryOptions({
  queryKey: ["plugins"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/plugins", { signal })),
  refetchInterval: 10_000,
});

/** How often what is of the last hour is asked for, without any news. */
const SPAN_MS = 60_000;

export const tasks = (wish: Wish) =>
  infiniteQueryOptions({
    queryKey: ["live", "tasks", wish],
    queryFn: ({ signal, pageParam }) => {
      const query = { ...filterAt(wish, Date.now()), limit: 50, cursor: pageParam };
      return unwrap(client.GET("/api/v1/tasks", { signal, params: { query } }));
    },
    refetchInterval: moves(wish) && SPAN_MS,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });

/** How many tasks there are of what is wished for. */
export const matching = (wish: Wish) =>
  queryOptions({
    queryKey: ["live", "count", wish],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/v1/tasks/count", { signal, params: { query: filterAt(wish, Date.now()) } })),
  });

export const workers = queryOptions({
  queryKey: ["live", "workers"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/workers", { signal })),
  refetchInterval: 10_000,
});

/** Over the whole visit, from one page to the next. */
const ending = new Rate();

export const queues = queryOptions({
  queryKey: ["live", "queues"],
  queryFn: async ({ signal }) => {
    const found = await unwrap(client.GET("/api/v1/queues", { signal }));
    return { ...found, rate: ending.take(found.tasks.ended, Date.now()) };
  },
  refetchInterval: 10_000,
});

export const audit = infiniteQueryOptions({
  queryKey: ["audit"],
  queryFn: ({ signal, pageParam }) =>
    unwrap(client.GET("/api/v1/audit", { signal, params: { query: { limit: 100, cursor: pageParam } } })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});

/** Of each list, as many as a person looks through. */
const SHOWN = 200;

export const running = queryOptions({
  queryKey: ["live", "running"],
  queryFn: ({ signal }) =>
    unwrap(client.GET("/api/v1/tasks", { signal, params: { query: { state: "running", limit: SHOWN } } })),
});

export const deadLetters = queryOptions({
  queryKey: ["live", "dead"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/tasks", { signal, params: { query: { dead: true, limit: 50 } } })),
});

export const overview = (days: number) =>
  queryOptions({
    queryKey: ["overview", days],
    queryFn: ({ signal }) => unwrap(client.GET("/api/v1/overview", { signal, params: { query: { days } } })),
    refetchInterval: 30_000,
  });

export const children = (id: string) =>
  queryOptions({
    queryKey: ["live", "children", id],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/v1/tasks", { signal, params: { query: { parent: id, limit: 20 } } })),
  });

export const task = (id: string) =>
  queryOptions({
    queryKey: ["task", id],
    queryFn: ({ signal }) => unwrap(client.GET("/api/v1/tasks/{id}", { signal, params: { path: { id } } })),
  });

export interface Span {
  /** The round whose tree is compared with; 0 is the submission. */
  from?: number;
  /** The round whose tree is shown; left out, the outcome's. */
  round?: number;
  /** The task that `from` is a round of, where that is another; then `from` left out is its outcome. */
  with?: string;
}

/** `version` changes when the trees behind the same question have changed. */
export const diff = (id: string, span: Span, version: string) =>
  queryOptions({
    queryKey: ["diff", id, span, version],
    queryFn: async ({ signal }) => {
      const path = { params: { path: { id }, query: span } };
      // Trees that are alike give an empty body, which the client takes for none.
      return (await unwrap<string | undefined>(client.GET("/api/v1/tasks/{id}/diff", { signal, ...path, parseAs: "text" }))) ?? "";
    },
    staleTime: Infinity,
  });

/** The files of a tree, out of its archive. */
export const files = (id: string, round: number | undefined, version: string) =>
  queryOptions({
    queryKey: ["files", id, round, version],
    queryFn: async ({ signal }) => {
      const { gunzipped, untarred } = await import("../task/archive");
      const path = { params: { path: { id }, query: { round } } };
      const packed = client.GET("/api/v1/tasks/{id}/archive", { signal, ...path, parseAs: "arrayBuffer" });
      return untarred(await gunzipped(await unwrap(packed)));
    },
    staleTime: Infinity,
    gcTime: 60_000,
  });

export const journal = (id: string, version: string) =>
  infiniteQueryOptions({
    queryKey: ["journal", id, version],
    queryFn: ({ signal, pageParam }) =>
      unwrap(
        client.GET("/api/v1/tasks/{id}/journal", { signal, params: { path: { id }, query: { from: pageParam } } }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next ?? undefined,
  });
