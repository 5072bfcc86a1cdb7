import { useQueries } from "@tanstack/react-query";
import { ArrowLeftRight } from "lucide-react";
import { Link } from "react-router";
import type { Task } from "../api/client";
import { task as taskQuery } from "../api/queries";
import { Badge } from "../components/Badge";
import { Between } from "../components/Between";
import { buttonLook } from "../components/Button";
import { Changes } from "../components/Changes";
import { Empty, Loading } from "../components/Empty";
import { Failure } from "../components/Notice";
import { Tabs } from "../components/Tabs";
import { compact, duration, money, reason } from "../format";
import { useAddress } from "../hooks/useAddress";
import { useTitle } from "../hooks/useTitle";
import { roundsOf } from "../task/rounds";

/** Two tasks side by side: what each was, took and gave. */
export function Compare() {
  useTitle("Compare");
  const [params] = useAddress();
  const [left, right] = SIDES.map((side) => params.get(side));
  return (
    <div className="space-y-3">
      <div className="flex items-center justify-between gap-2">
        <h1 className="text-lg font-semibold">Compare</h1>
        {left && right && (
          <Link to={`/compare?${new URLSearchParams({ left: right, right: left })}`} replace className={buttonLook("quiet")}>
            <ArrowLeftRight className="size-4" aria-hidden /> Swap
          </Link>
        )}
      </div>
      {left && right ? (
        <Both left={left} right={right} />
      ) : (
        <Empty title="Which two?">
          Select two tasks in the{" "}
          <Link to="/" className="text-accent underline">
            list
          </Link>
          , then Compare; or begin with a task that was run again.
        </Empty>
      )}
    </div>
  );
}

const SIDES = ["left", "right"] as const;
const TABS = [
  ["between", "Between the results"],
  ["each", "What each changed"],
] as const;

const AGAIN_MS = 2_000;
/** No events tell of these two. */
const untilEnded = ({ state: { data } }: { state: { data?: Task } }) => (data?.state === "ended" ? false : AGAIN_MS);

function Both({ left, right }: { left: string; right: string }) {
  const [params, change] = useAddress();
  const [one, other] = useQueries({
    queries: [
      { ...taskQuery(left), refetchInterval: untilEnded },
      { ...taskQuery(right), refetchInterval: untilEnded },
    ],
  });
  const error = one.error ?? other.error;
  if (error) return <Failure error={error} retry={() => void Promise.all([one.refetch(), other.refetch()])} />;
  if (!one.data || !other.data) return <Loading lines={8} />;
  const pair = [one.data, other.data] as const;
  const versions = pair.map((task) => `${task.rounds.length} ${task.state}`);
  const at = params.get("show") === "each" ? "each" : "between";
  return (
    <>
      <Facts pair={pair} />
      <Tabs label="What differs" tabs={TABS} at={at} onChange={(name) => change({ show: name === "each" ? name : "" })}>
        {at === "between" ? (
          <Between left={pair[0]} right={pair[1]} version={versions.join()} />
        ) : (
          <div className="grid gap-3 xl:grid-cols-2">
            {SIDES.map((side, index) => (
              <section key={`${side} ${pair[index]!.id}`} className="min-w-0 space-y-2" aria-label={`Changes of the ${side} task`}>
                <h2 className="font-medium">What the {side} one changed</h2>
                <Changes task={pair[index]!} version={versions[index]!} prefix={`${side}-`} />
              </section>
            ))}
          </div>
        )}
      </Tabs>
    </>
  );
}

/** More of a goal takes a while to lay out. */
const GOAL_SHOWN = 20_000;

const FACTS: [string, (task: Task) => string][] = [
  ["Goal", ({ spec }) => spec.goal.slice(0, GOAL_SHOWN)],
  ["Pipeline", ({ spec }) => spec.pipeline.name],
  ["Parts", ({ spec: { pipeline } }) => [pipeline.builder.name, pipeline.checker.name, pipeline.fixer?.name].filter(Boolean).join(" → ")],
  ["Model", ({ spec }) => spec.pipeline.model ?? "none"],
  ["Begins with", ({ spec }) => spec.tree.slice(7, 15)],
  ["Rounds", ({ state, spend, spec: { budget } }) => `${roundsOf({ state, spend, budget })} of ${budget.rounds}`],
  ["Tests", ({ outcome }) => (outcome?.report ? `${outcome.report.counts.passed} passed, ${outcome.report.counts.failed} failed` : "–")],
  ["Tokens", ({ spend }) => `${compact(spend.input_tokens)} in, ${compact(spend.output_tokens)} out`],
  ["Cost", ({ spend }) => (spend.cost_micros == null ? "price unknown" : money(spend.cost_micros))],
  ["Time", (task) => (task.started_at && task.ended_at ? duration(task.ended_at - task.started_at) : "–")],
  ["Computing", ({ spend }) => duration(spend.compute_ms)],
];

/** What differs is marked. */
function Facts({ pair }: { pair: readonly [Task, Task] }) {
  return (
    <div className="panel relative overflow-x-auto" tabIndex={0} role="region" aria-label="Facts">
      <table className="w-full table-fixed text-left [&_td]:px-3 [&_td]:py-1.5 [&_td]:align-top [&_th]:px-3 [&_th]:py-1.5 [&_th]:align-top [&_th]:font-medium">
        <thead className="border-b border-line">
          <tr>
            <td className="w-24 sm:w-32" />
            {pair.map((task, index) => (
              <th key={index} scope="col">
                <span className="font-normal text-soft">{SIDES[index]}</span>{" "}
                <Link to={`/tasks/${task.id}`} className="foreign font-mono text-accent underline" title={task.id}>
                  {task.id.slice(-6)}
                </Link>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr className="border-b border-line">
            <th scope="row" className="text-soft">
              Outcome
            </th>
            {pair.map((task, index) => (
              <td key={index}>
                <Badge state={task.state} reason={task.outcome?.reason} cancel={task.cancel} />
                <span className="foreign mt-0.5 line-clamp-3 text-soft">{task.outcome && reason(task.outcome.reason).long}</span>
              </td>
            ))}
          </tr>
          {FACTS.map(([name, tell]) => {
            const told = pair.map(tell);
            const differs = told[0] !== told[1];
            return (
              <tr key={name} className="border-b border-line last:border-0">
                <th scope="row" className="text-soft">
                  {name}
                </th>
                {told.map((text, index) => (
                  <td key={index} className="tabular-nums">
                    <span className={`foreign ${differs ? "whitespace-pre-wrap font-medium" : "line-clamp-3 text-soft"}`}>{text}</span>
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
