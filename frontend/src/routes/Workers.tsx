import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { client, unwrap, type TaskSummary } from "../api/client";
import { ready } from "../api/queries";
import { Empty, Loading } from "../components/Empty";
import { Lost } from "../components/Lost";
import { Failure } from "../components/Notice";
import { count, duration, plural } from "../format";
import { useChanges } from "../hooks/useChanges";
import { useNow } from "../hooks/useNow";
import { useTitle } from "../hooks/useTitle";

/** Of each state, as many as a person looks through. */
const SHOWN = 200;

const inState = (state: TaskSummary["state"], outcome?: string) => ({
  queryKey: ["live", "by-state", state, outcome],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    unwrap(client.GET("/api/v1/tasks", { signal, params: { query: { state, outcome, limit: SHOWN } } })),
});

/** Who works on what, what waits, and what was given up. */
export function Workers() {
  useTitle("Workers and queue");
  const connection = useChanges();
  const health = useQuery(ready);
  const running = useQuery(inState("running"));
  const crashed = useQuery(inState("ended", "crashed"));
  const stats = health.data?.tasks;
  const now = useNow(stats !== undefined && stats.queued + stats.running > 0);
  const workers = Map.groupBy(running.data?.tasks ?? [], (task) => task.worker ?? "between two workers");
  const waits = stats?.oldest_queued_at;
  const facts = [
    ["Waiting", stats && count(stats.queued)],
    ["The first waits for", stats && (waits == null ? "–" : duration(Math.max(0, now - waits)))],
    ["Running", stats && count(stats.running)],
    ["Ended", stats && count(stats.ended)],
  ] as const;
  return (
    <div className="space-y-3">
      <h1 className="text-lg font-semibold">Workers and queue</h1>
      <Lost connection={connection} what="changes of tasks" />
      {health.isError && <Failure error={health.error} retry={() => void health.refetch()} />}
      <dl className="grid grid-cols-2 gap-3 md:grid-cols-4">
        {facts.map(([name, value]) => (
          <div key={name} className="panel p-3">
            <dt className="text-xs text-soft">{name}</dt>
            <dd className="mt-0.5 text-lg font-semibold tabular-nums">{value ?? "…"}</dd>
          </div>
        ))}
      </dl>
      <h2 className="pt-1 font-medium">At work</h2>
      {running.isPending ? (
        <Loading />
      ) : running.isError ? (
        <Failure error={running.error} retry={() => void running.refetch()} />
      ) : workers.size === 0 ? (
        <div className="panel">
          <Empty title="No worker has a task">
            {stats && stats.queued > 0
              ? "Tasks wait, and nobody takes them. `aiagent-host --role worker` on the same store starts a worker."
              : "Workers appear here while they work on something."}
          </Empty>
        </div>
      ) : (
        [...workers].map(([worker, tasks]) => (
          <TaskList key={worker} title={worker} note={plural(tasks.length, "task")} tasks={tasks} now={now} />
        ))
      )}
      {running.data?.next && <p className="text-soft">Of the newest {count(SHOWN)} running tasks.</p>}
      {crashed.data && crashed.data.tasks.length > 0 && (
        <>
          <h2 className="pt-1 font-medium">Given up after three lost workers</h2>
          <TaskList title="crashed" note="run them again from their page" tasks={crashed.data.tasks} now={now} />
        </>
      )}
    </div>
  );
}

function TaskList({ title, note, tasks, now }: { title: string; note: string; tasks: TaskSummary[]; now: number }) {
  return (
    <section className="panel" aria-label={title}>
      <h3 className="foreign border-b border-line px-3 py-1.5 font-medium">
        {title} <span className="font-normal text-soft">{note}</span>
      </h3>
      <ul className="divide-y divide-line">
        {tasks.map((task) => (
          <li key={task.id} className="flex items-center gap-3 px-3 py-1.5">
            <Link to={`/tasks/${task.id}`} className="foreign line-clamp-1 flex-1 hover:underline">
              {task.goal}
            </Link>
            {task.reason?.kind === "crashed" ? (
              <span className="foreign line-clamp-1 max-w-[50%] text-bad">{task.reason.message}</span>
            ) : (
              <span className="text-soft tabular-nums">
                round {task.spend.rounds + 1} · {task.started_at ? duration(Math.max(0, now - task.started_at)) : "–"}
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
