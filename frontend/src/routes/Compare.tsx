import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import type { Task } from "../api/client";
import { task as taskQuery } from "../api/queries";
import { Badge } from "../components/Badge";
import { Changes } from "../components/Changes";
import { Empty, Loading } from "../components/Empty";
import { Failure } from "../components/Notice";
import { compact, duration, money, reason } from "../format";
import { useTitle } from "../hooks/useTitle";

/** Two tasks side by side: what each was, took and gave. */
export function Compare() {
  useTitle("Compare");
  const [params] = useSearchParams();
  const [left, right] = [params.get("left"), params.get("right")];
  if (!left || !right) {
    return (
      <div className="space-y-3">
        <h1 className="text-lg font-semibold">Compare</h1>
        <Empty title="Which two?">
          Select two tasks in the{" "}
          <Link to="/" className="text-accent underline">
            list
          </Link>
          , then Compare.
        </Empty>
      </div>
    );
  }
  return (
    <div className="space-y-3">
      <h1 className="text-lg font-semibold">Compare</h1>
      <div className="grid gap-3 xl:grid-cols-2">
        <Side id={left} />
        <Side id={right} />
      </div>
    </div>
  );
}

function Side({ id }: { id: string }) {
  const found = useQuery(taskQuery(id));
  if (found.isPending) return <Loading />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  return (
    <section className="min-w-0 space-y-3" aria-label={`Task ${id}`}>
      <Facts task={found.data} />
      <Changes task={found.data} version={`${found.data.rounds.length} ${found.data.state}`} />
    </section>
  );
}

function Facts({ task }: { task: Task }) {
  const { outcome, spend, spec } = task;
  const wall = task.started_at && task.ended_at ? duration(task.ended_at - task.started_at) : "–";
  const rows = [
    ["Pipeline", spec.pipeline.name],
    ["Model", spec.pipeline.model ?? "none"],
    ["Rounds", `${spend.rounds} of ${spec.budget.rounds}`],
    ["Tokens", compact(spend.input_tokens + spend.output_tokens)],
    ["Cost", spend.cost_micros == null ? "price unknown" : money(spend.cost_micros)],
    ["Time", wall],
    ["Tests", outcome?.report ? `${outcome.report.counts.passed} passed, ${outcome.report.counts.failed} failed` : "–"],
  ];
  return (
    <div className="panel p-3">
      <h2>
        <Link to={`/tasks/${task.id}`} className="foreign line-clamp-2 font-medium hover:underline">
          {spec.goal.slice(0, 500)}
        </Link>
      </h2>
      <p className="mt-1 flex flex-wrap items-center gap-2">
        <Badge state={task.state} reason={outcome?.reason} cancel={task.cancel} />
        <span className="foreign line-clamp-2 text-soft">{outcome && reason(outcome.reason).long}</span>
      </p>
      <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-soft">{name}</dt>
            <dd className="foreign tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
