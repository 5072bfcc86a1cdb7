import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { operations } from "./schema";

export type TaskFilter = Omit<NonNullable<operations["list"]["parameters"]["query"]>, "cursor" | "limit">;

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

export const ready = queryOptions({
  queryKey: ["live", "ready"],
  queryFn: ({ signal }) => unwrap(client.GET("/readyz", { signal })),
  refetchInterval: 10_000,
  retry: false,
});

export const tasks = (filter: TaskFilter) =>
  infiniteQueryOptions({
    queryKey: ["live", "tasks", filter],
    queryFn: ({ signal, pageParam }) =>
      unwrap(client.GET("/api/v1/tasks", { signal, params: { query: { ...filter, limit: 50, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
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
}

/** `version` changes when the trees behind the same question have changed. */
export const diff = (id: string, span: Span, version: string) =>
  queryOptions({
    queryKey: ["diff", id, span, version],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/v1/tasks/{id}/diff", {
          signal,
          params: { path: { id }, query: span },
          parseAs: "text",
        }),
      ),
    staleTime: Infinity,
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
