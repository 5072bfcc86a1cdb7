import { useMutation, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { discard } from "../hooks/useDraft";
import { client, unwrap, type AgainBody, type BulkBody, type BulkReply, type Deed, type SubmitBody } from "./client";

const failed = (error: Error) => toast.error(error.message);

export function useSubmit() {
  return useMutation({
    mutationFn: ({ body, key }: { body: SubmitBody; key: string }) =>
      unwrap(client.POST("/api/v1/tasks", { body, params: { header: { "Idempotency-Key": key } } })),
  });
}

export function useSubmitArchive() {
  return useMutation({
    mutationFn: ({ form, key }: { form: FormData; key: string }) =>
      unwrap(
        client.POST("/api/v1/tasks", {
          body: "",
          bodySerializer: () => form,
          headers: { "Content-Type": null },
          params: { header: { "Idempotency-Key": key } },
        }),
      ),
  });
}

export function useAgain(id: string) {
  return useMutation({
    mutationFn: ({ body, key }: { body: Partial<AgainBody>; key: string }) =>
      unwrap(
        client.POST("/api/v1/tasks/{id}/again", {
          body: body as AgainBody,
          params: { path: { id }, header: { "Idempotency-Key": key } },
        }),
      ),
    onError: failed,
  });
}

/** A change of one task, after which whatever shows it asks again. */
function useChange<Answer>(act: (id: string) => Promise<Answer>, done: (answer: Answer) => string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (answer, id) => {
      toast(done(answer));
      void queries.invalidateQueries({ queryKey: ["task", id] });
      void queries.invalidateQueries({ queryKey: ["live"] });
    },
    onError: failed,
  });
}

export const useCancel = () =>
  useChange(
    (id) => unwrap(client.POST("/api/v1/tasks/{id}/cancel", { params: { path: { id } } })),
    ({ state }) => (state === "requested" ? "Cancelling: the running step stops within seconds" : "Cancelled"),
  );

export const useRequeue = () =>
  useChange(
    (id) => unwrap(client.POST("/api/v1/tasks/{id}/requeue", { params: { path: { id } } })),
    () => "Back in its queue",
  );

export const useDelete = () =>
  useChange(
    (id) => unwrap(client.DELETE("/api/v1/tasks/{id}", { params: { path: { id } } })),
    () => "Deleted",
  );

/** Ids that one request may name. */
const IDS_AT_MOST = 1_000;

/** The same done to many tasks: to those named, or to all that a filter finds. */
export function useBulk(deed: Deed) {
  const queries = useQueryClient();
  const send = (body: BulkBody) => unwrap(client.POST("/api/v1/tasks/bulk/{deed}", { body, params: { path: { deed } } }));
  return useMutation({
    mutationFn: async ({ ids, ...rest }: BulkBody) => {
      if (!ids) return send(rest);
      const all: BulkReply = { matched: 0, done: 0, refused: [] };
      for (let at = 0; at < ids.length; at += IDS_AT_MOST) {
        const { matched, done, refused } = await send({ ids: ids.slice(at, at + IDS_AT_MOST) });
        all.matched += matched;
        all.done += done;
        all.refused.push(...refused);
      }
      return all;
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ["live"] });
      void queries.invalidateQueries({ queryKey: ["task"] });
    },
  });
}

/** A change of the catalog; `silent` where a dialog tells what went wrong. */
function usePluginChange<T, Answer>(act: (what: T) => Promise<Answer>, done: (what: T, answer: Answer) => string, silent = false) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (answer, what) => {
      toast(done(what, answer));
      void queries.invalidateQueries({ queryKey: ["plugins"] });
    },
    onError: silent ? undefined : failed,
  });
}

export const useUploadPlugin = () =>
  usePluginChange(
    ({ file, replace }: { file: File; replace: boolean }) =>
      unwrap(
        client.POST("/api/v1/plugins", {
          params: { query: { file: file.name, replace: replace || undefined } },
          body: [],
          bodySerializer: () => file,
          headers: { "Content-Type": "application/wasm" },
        }),
      ),
    ({ file }, { held_back }) => `${file.name} is in the plugins folder${held_back ? ", and held back until it is allowed" : ""}`,
    true,
  );

export const useAllowPlugin = () =>
  usePluginChange(
    ({ file, digest }: { file: string; digest: string }) =>
      unwrap(client.POST("/api/v1/plugins/{file}/allow", { params: { path: { file } }, body: { digest } })),
    ({ file }) => `${file} is allowed`,
  );

export const useRemovePlugin = () =>
  usePluginChange(
    ({ file, force }: { file: string; force?: boolean }) =>
      unwrap(client.DELETE("/api/v1/plugins/{file}", { params: { path: { file }, query: { force } } })),
    ({ file }) => `${file} is removed`,
    true,
  );

/** Workers leave a paused queue's tasks alone. */
export function usePauseQueue() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, paused }: { name: string; paused: boolean }) => {
      const params = { path: { name } };
      return unwrap(
        paused ? client.POST("/api/v1/queues/{name}/pause", { params }) : client.POST("/api/v1/queues/{name}/resume", { params }),
      );
    },
    onSuccess: (_, { name, paused }) => {
      toast(`${name} is ${paused ? "paused" : "at work again"}`);
      void queries.invalidateQueries({ queryKey: ["live"] });
    },
    onError: failed,
  });
}

export function useLogIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationKey: ["session"],
    mutationFn: (token: string) => unwrap(client.POST("/api/v1/session", { body: { token } })),
    onSuccess: () => queries.resetQueries(),
  });
}

export function useLogOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationKey: ["session"],
    // Whoever has signed in with another service logs out there, too, and comes back.
    mutationFn: () => unwrap<{ url: string } | undefined>(client.DELETE("/api/v1/session")),
    onSuccess: (elsewhere) => {
      discard();
      return elsewhere?.url ? location.assign(elsewhere.url) : queries.resetQueries();
    },
    onError: failed,
  });
}
