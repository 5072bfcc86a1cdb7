import { lazy, Suspense, useMemo, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import type { OverviewDay } from "../api/client";
import { overview } from "../api/queries";
import { buttonLook } from "../components/Button";
import { Empty, Loading } from "../components/Empty";
import { Failure, Notice } from "../components/Notice";
import { compact, count, duration, money, plural } from "../format";
import { useAddress } from "../hooks/useAddress";
import { useTitle } from "../hooks/useTitle";
import { daysOf, groups, rate, type Group } from "../task/figures";

const Charts = lazy(async () => ({ default: (await import("../components/Charts")).Charts }));

const SPANS = [7, 14, 30, 90];
const PARTS = { pipeline: "pipeline", model: "model" } as const;
type Part = keyof typeof PARTS;

const partOf = (part: Part) => (row: OverviewDay) => (part === "pipeline" ? row.pipeline : (row.model ?? "no model"));

/** What the tasks of the last days have come to. Its choices live in the URL. */
export function Overview() {
  useTitle("Overview");
  const [params, change] = useAddress();
  const days = SPANS.find((span) => String(span) === params.get("days")) ?? 14;
  const part: Part = params.get("by") === "model" ? "model" : "pipeline";
  const found = useQuery({ ...overview(days), placeholderData: (before) => before });
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h1 className="text-lg font-semibold">Overview</h1>
        <div className="flex gap-1.5">
          <select aria-label="Told apart by" className="field" value={part} onChange={(event) => change({ by: event.target.value })}>
            {Object.keys(PARTS).map((part) => (
              <option key={part} value={part}>
                by {part}
              </option>
            ))}
          </select>
          <select aria-label="Span" className="field" value={days} onChange={(event) => change({ days: event.target.value })}>
            {SPANS.map((days) => (
              <option key={days} value={days}>
                {days} days
              </option>
            ))}
          </select>
        </div>
      </div>
      {found.isPending ? (
        <Loading lines={6} />
      ) : found.isLoadingError ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : found.data.days.length === 0 ? (
        <div className="panel">
          <Empty title={`No task has ended in ${days} days`}>
            Pass rate, throughput, time to green, tokens and cost come here, by day, pipeline and model. <br />
            <Link to="/submit" className={`${buttonLook("main")} mt-3`}>
              Submit a task
            </Link>
          </Empty>
        </div>
      ) : (
        <>
          {found.data.truncated && <Notice>There are too many tasks to add up: older ones of this span are left out.</Notice>}
          <Figures rows={found.data.days} days={days} part={part} />
        </>
      )}
    </div>
  );
}

/** Nothing but unpriced calls, and tasks that made none: their sum says nothing. */
const isUnpriced = ({ unpriced, costMicros }: Group) => unpriced > 0 && costMicros === 0;

const cost = (group: Group) =>
  isUnpriced(group) ? "price unknown" : `${money(group.costMicros)}${group.unpriced ? ` + ${plural(group.unpriced, "task")} of unknown price` : ""}`;

function Figures({ rows, days, part }: { rows: OverviewDay[]; days: number; part: Part }) {
  const [today] = useState(() => Date.now());
  const span = useMemo(() => daysOf(days, today), [days, today]);
  const [total] = groups(rows, () => "all");
  if (!total) return null;
  const facts = [
    ["Ended", count(total.ended)],
    ["Tasks a day", (total.ended / days).toFixed(total.ended / days < 10 ? 1 : 0)],
    ["Green", rate(total)],
    ["Time to green, median", total.p50 === undefined ? "–" : duration(total.p50)],
    ["Tokens", compact(total.tokens)],
    ["Cost", cost(total)],
  ] as const;
  return (
    <>
      <dl className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
        {facts.map(([name, value]) => (
          <div key={name} className="panel p-3">
            <dt className="text-xs text-soft">{name}</dt>
            <dd className={`mt-0.5 font-semibold tabular-nums ${value.length > 12 ? "text-sm" : "text-lg"}`}>{value}</dd>
          </div>
        ))}
      </dl>
      <Suspense fallback={<Loading lines={8} />}>
        <Charts rows={rows} days={span} partOf={partOf(part)} />
      </Suspense>
      <div className="grid gap-3 xl:grid-cols-2">
        <Table name="Pipeline" rows={groups(rows, partOf("pipeline"))} />
        <Table name="Model" rows={groups(rows, partOf("model"))} />
      </div>
      <Table name="Day, in UTC" rows={groups(rows, (row) => row.day).toSorted((a, b) => b.key.localeCompare(a.key))} />
    </>
  );
}

function Table({ name, rows }: { name: string; rows: Group[] }) {
  return (
    <div className="panel relative overflow-x-auto" tabIndex={0} role="region" aria-label={`By ${name.toLowerCase()}`}>
      <table className="w-full text-right tabular-nums [&_td]:px-2 [&_td]:py-1.5 sm:[&_td]:px-3 [&_th]:px-2 sm:[&_th]:px-3 [&_th]:py-1.5 [&_th]:font-medium">
        <thead className="border-b border-line text-xs text-soft">
          <tr>
            <th className="text-left">{name}</th>
            <th>Ended</th>
            <th>Green</th>
            <th title="Half of the green ones took no longer, from the first step">To green</th>
            <th title="Nine of ten took no longer">90th percentile</th>
            <th>Tokens</th>
            <th>Cost</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} className="border-b border-line last:border-0">
              <td className="foreign max-w-40 truncate text-left whitespace-nowrap" title={row.key}>
                {row.key}
              </td>
              <td>{count(row.ended)}</td>
              <td className="whitespace-nowrap">{rate(row)}</td>
              <td className="whitespace-nowrap">{row.p50 === undefined ? "–" : duration(row.p50)}</td>
              <td className="whitespace-nowrap">{row.p90 === undefined ? "–" : duration(row.p90)}</td>
              <td>{compact(row.tokens)}</td>
              <td className="whitespace-nowrap" title={cost(row)}>
                {isUnpriced(row) ? "unknown" : `${row.unpriced ? "≥ " : ""}${money(row.costMicros)}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
