import { useState } from "react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { toast } from "sonner";
import { client, unwrap, type TaskSummary } from "../api/client";
import type { TaskFilter } from "../api/queries";
import { plural } from "../format";
import { freshKey } from "../hooks/useClickKey";
import { Button, buttonLook } from "./Button";
import { Dialog } from "./Dialog";

interface Props {
  selected: ReadonlySet<string>;
  rows: TaskSummary[];
  filter: TaskFilter;
  onDone: () => void;
}

type Action = "cancel" | "again";

/** Requests on their way at once: quick, and yet no flood. */
const AT_ONCE = 8;

async function matching(filter: TaskFilter): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await unwrap(client.GET("/api/v1/tasks", { params: { query: { ...filter, cursor, limit: 200 } } }));
    ids.push(...page.tasks.map((task) => task.id));
    cursor = page.next ?? undefined;
  } while (cursor);
  return ids;
}

async function act(action: Action, id: string) {
  const path = { id };
  if (action === "cancel") await unwrap(client.POST("/api/v1/tasks/{id}/cancel", { params: { path } }));
  else {
    const header = { "Idempotency-Key": freshKey() };
    await unwrap(client.POST("/api/v1/tasks/{id}/again", { body: {} as never, params: { path, header } }));
  }
}

/** Cancels or runs again what is selected, after saying how many that are. */
export function BulkActions({ selected, rows, filter, onDone }: Props) {
  const [asked, setAsked] = useState<{ action: Action; ids: string[] }>();
  const queries = useQueryClient();
  const all = useMutation({ mutationFn: () => matching(filter), onError: (error) => toast.error(error.message) });
  const run = useMutation({
    mutationFn: async ({ action, ids }: { action: Action; ids: string[] }) => {
      const waiting = [...ids];
      let failures = 0;
      const work = async () => {
        for (let id = waiting.pop(); id; id = waiting.pop()) await act(action, id).catch(() => failures++);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return failures;
    },
    onSuccess: (failures, { action, ids }) => {
      const done = plural(ids.length - failures, "task");
      toast(`${done} ${action === "cancel" ? "cancelled" : "submitted again"}${failures ? `, ${failures} failed` : ""}`);
      setAsked(undefined);
      all.reset();
      onDone();
      void queries.invalidateQueries({ queryKey: ["live"] });
    },
  });
  if (selected.size === 0) return null;
  const ids = all.data ?? [...selected];
  const pair = [...selected];
  const comparable = pair.length === 2 && rows.filter((row) => selected.has(row.id)).length === 2;
  return (
    <div className="flex flex-wrap items-center gap-1.5 rounded-md bg-accent-wash px-3 py-1.5" role="region" aria-label="Selection">
      <span className="font-medium">{plural(ids.length, "task")} selected</span>
      {!all.data && (
        <Button look="quiet" onClick={() => all.mutate()} disabled={all.isPending}>
          {all.isPending ? "Counting…" : "Select all that match"}
        </Button>
      )}
      <Button onClick={() => setAsked({ action: "again", ids })}>Run again</Button>
      <Button look="bad" onClick={() => setAsked({ action: "cancel", ids })}>
        Cancel
      </Button>
      {comparable && (
        <Link to={`/compare?left=${pair[0]}&right=${pair[1]}`} className={buttonLook()}>
          Compare
        </Link>
      )}
      <Button
        look="quiet"
        onClick={() => {
          all.reset();
          onDone();
        }}
      >
        Clear selection
      </Button>
      {asked && (
        <Dialog
          open
          title={asked.action === "cancel" ? "Cancel tasks" : "Run tasks again"}
          onClose={() => setAsked(undefined)}
        >
          <p>
            {asked.action === "cancel"
              ? `${plural(asked.ids.length, "task")} will be cancelled. Those that have ended stay as they are.`
              : `${plural(asked.ids.length, "new task")} will be queued, each with the files, tests and pipeline of its first run.`}
          </p>
          <div className="mt-4 flex justify-end gap-2">
            <Button onClick={() => setAsked(undefined)}>Leave them</Button>
            <Button look={asked.action === "cancel" ? "bad" : "main"} disabled={run.isPending} onClick={() => run.mutate(asked)}>
              {asked.action === "cancel" ? `Cancel ${plural(asked.ids.length, "task")}` : `Run ${asked.ids.length} again`}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
