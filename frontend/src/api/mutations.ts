import { useMutation, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { client, unwrap, type Schema } from "./client";

const failed = (error: Error) => toast.error(error.message);

export function useSubmit() {
  return useMutation({
    mutationFn: ({ body, key }: { body: Schema["SubmitBody"]; key: string }) =>
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
    mutationFn: ({ body, key }: { body: Partial<Schema["AgainBody"]>; key: string }) =>
      unwrap(
        client.POST("/api/v1/tasks/{id}/again", {
          body: body as Schema["AgainBody"],
          params: { path: { id }, header: { "Idempotency-Key": key } },
        }),
      ),
    onError: failed,
  });
}

export function useCancel() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(client.POST("/api/v1/tasks/{id}/cancel", { params: { path: { id } } })),
    onSuccess: (answer, id) => {
      toast(answer.state === "requested" ? "Cancelling: the running step stops within seconds" : "Cancelled");
      void queries.invalidateQueries({ queryKey: ["task", id] });
      void queries.invalidateQueries({ queryKey: ["live"] });
    },
    onError: failed,
  });
}

export function useLogIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => unwrap(client.POST("/api/v1/session", { body: { token } })),
    onSuccess: () => queries.resetQueries(),
  });
}

export function useLogOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(client.DELETE("/api/v1/session")),
    onSuccess: () => queries.resetQueries(),
  });
}
