import { lazy, Suspense, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { client, unwrap, type TaskSummary } from "../api/client";
import { Empty, Loading } from "../components/Empty";
import { Failure } from "../components/Notice";
import { compact, count, duration, money } from "../format";
import { useTitle } from "../hooks/useTitle";
import { groups, rate, type Group } from "../task/figures";

const Charts = lazy(async () => ({ default: (await import("../components/Charts")).Charts }));

/** Tasks that the figures are made of, at most: five requests. */
const MOST = 1000;
const DAY_MS = 86_400_000;

async function newest(since: number, signal: AbortSignal): Promise<{ tasks: TaskSummary[]; all: boolean }> {
  const tasks: TaskSummary[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: 200, cursor, since };
    const page = await unwrap(client.GET("/api/v1/tasks", { signal, params: { query } }));
    tasks.push(...page.tasks);
    cursor = page.next ?? undefined;
  } while (cursor && tasks.length < MOST);
  return { tasks, all: !cursor };
}

export function Overview() {
  useTitle("Overview");
  const [days, setDays] = useState(14);
  const found = useQuery({
    queryKey: ["overview", days],
    queryFn: ({ signal }) => newest(new Date().setHours(0, 0, 0, 0) - (days - 1) * DAY_MS, signal),
    refetchInterval: 30_000,
  });
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h1 className="text-lg font-semibold">Overview</h1>
        <select
          aria-label="Span"
          className="field"
          value={days}
          onChange={(event) => setDays(Number(event.target.value))}
        >
          {[7, 14, 30, 90].map((days) => (
            <option key={days} value={days}>
              {days} days
            </option>
          ))}
        </select>
      </div>
      {found.isPending ? (
        <Loading lines={6} />
      ) : found.isError ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : found.data.tasks.length === 0 ? (
        <div className="panel">
          <Empty title="No task in this time">Pass rate, throughput, time to green, tokens and cost come here.</Empty>
        </div>
      ) : (
        <Figures {...found.data} />
      )}
    </div>
  );
}

const dayOf = (task: TaskSummary) =>
  new Date(task.submitted_at).toLocaleDateString([], { month: "short", day: "numeric" });

function Figures({ tasks, all }: { tasks: TaskSummary[]; all: boolean }) {
  const [total] = groups(tasks, () => "all");
  const byDay = groups(tasks.toReversed(), dayOf);
  if (!total) return null;
  const facts = [
    ["Tasks", count(total.tasks)],
    ["Green", rate(total)],
    ["Median time to green", total.medianMs === undefined ? "–" : duration(total.medianMs)],
    ["Rounds per task", (total.rounds / total.tasks).toFixed(1)],
    ["Tokens", compact(total.tokens)],
    ["Cost", total.costMicros === undefined ? "price unknown" : money(total.costMicros)],
  ] as const;
  return (
    <>
      {!all && <p className="text-soft">Of the newest {count(tasks.length)} tasks in this time.</p>}
      <dl className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
        {facts.map(([name, value]) => (
          <div key={name} className="panel p-3">
            <dt className="text-xs text-soft">{name}</dt>
            <dd className="mt-0.5 text-lg font-semibold tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      <Suspense fallback={<Loading lines={8} />}>
        <Charts days={byDay} />
      </Suspense>
      <div className="grid gap-3 xl:grid-cols-2">
        <Table name="Pipeline" rows={groups(tasks, (task) => task.pipeline)} />
        <Table name="Model" rows={groups(tasks, (task) => task.model ?? "none")} />
      </div>
    </>
  );
}

function Table({ name, rows }: { name: string; rows: Group[] }) {
  return (
    <div className="panel overflow-x-auto" tabIndex={0} role="region" aria-label={`By ${name.toLowerCase()}`}>
      <table className="w-full text-right tabular-nums [&_td]:px-3 [&_td]:py-1.5 [&_th]:px-3 [&_th]:py-1.5 [&_th]:font-medium">
        <thead className="border-b border-line text-xs text-soft">
          <tr>
            <th className="text-left">{name}</th>
            <th>Tasks</th>
            <th>Green</th>
            <th>To green</th>
            <th>Tokens</th>
            <th>Cost</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} className="border-b border-line last:border-0">
              <td className="foreign text-left">{row.key}</td>
              <td>{count(row.tasks)}</td>
              <td>{rate(row)}</td>
              <td className="whitespace-nowrap">{row.medianMs === undefined ? "–" : duration(row.medianMs)}</td>
              <td>{compact(row.tokens)}</td>
              <td>{row.costMicros === undefined ? "unknown" : money(row.costMicros)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
