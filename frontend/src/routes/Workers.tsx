import { useQuery } from "@tanstack/react-query";
import { queues, workers } from "../api/queries";
import { DeadLetters } from "../components/DeadLetters";
import { Loading } from "../components/Empty";
import { Lost } from "../components/Lost";
import { Failure } from "../components/Notice";
import { Queues } from "../components/Queues";
import { WorkerList } from "../components/WorkerList";
import { count, duration } from "../format";
import { useChanges } from "../hooks/useChanges";
import { useNow } from "../hooks/useNow";
import { useTitle } from "../hooks/useTitle";

/** Who works on what, what waits, and what was given up. */
export function Workers() {
  useTitle("Workers and queue");
  const link = useChanges();
  const line = useQuery(queues);
  const staff = useQuery(workers);
  const stats = line.data?.tasks;
  const now = useNow(true);
  const waits = stats?.oldest_queued_at;
  const rate = line.data?.rate;
  const facts = [
    ["Waiting", stats && count(stats.queued)],
    ["The first waits for", stats && (waits == null ? "–" : duration(Math.max(0, now - waits)))],
    ["Running", stats && count(stats.running)],
    ["Ended", stats && count(stats.ended)],
    ["Ended a minute", line.data && (rate === undefined ? "measuring…" : rate.toFixed(rate < 10 ? 1 : 0))],
  ] as const;
  return (
    <div className="space-y-3">
      <h1 className="text-lg font-semibold">Workers and queue</h1>
      <Lost link={link} what="changes of tasks" />
      {line.isError && <Failure error={line.error} retry={() => void line.refetch()} />}
      <dl className="grid grid-cols-2 gap-3 md:grid-cols-5">
        {facts.map(([name, value]) => (
          <div key={name} className="panel p-3">
            <dt className="text-xs text-soft">{name}</dt>
            <dd className="mt-0.5 text-lg font-semibold tabular-nums">{value ?? "…"}</dd>
          </div>
        ))}
      </dl>
      <h2 className="pt-1 font-medium">Workers</h2>
      {staff.isPending ? (
        <Loading />
      ) : staff.isLoadingError ? (
        <Failure error={staff.error} retry={() => void staff.refetch()} />
      ) : (
        <WorkerList workers={staff.data.workers} waiting={stats?.queued ?? 0} now={now} />
      )}
      <h2 className="pt-1 font-medium">Queues</h2>
      {line.data ? <Queues queues={line.data.queues} /> : <Loading />}
      <DeadLetters now={now} />
    </div>
  );
}
