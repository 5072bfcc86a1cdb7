import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { useRequeue } from "../api/mutations";
import { deadLetters, matching } from "../api/queries";
import { reason } from "../format";
import { useMay } from "../hooks/useMay";
import { Ask } from "./Ask";
import { Button } from "./Button";
import { Empty, Loading } from "./Empty";
import { Failure } from "./Notice";
import { Ago } from "./Time";

const DEAD = { dead: true };

/** What ended through no fault of its own, and could go on. */
export function DeadLetters({ now }: { now: number }) {
  const found = useQuery(deadLetters);
  const number = useQuery(matching(DEAD));
  const requeue = useRequeue();
  const why = useMay().why("submitter");
  const [asking, setAsking] = useState(false);
  return (
    <section className="space-y-2" aria-label="Dead letters">
      <div className="flex flex-wrap items-center justify-between gap-2 pt-1">
        <h2 className="font-medium">
          Dead letters{" "}
          <span className="font-normal text-soft">ended through no fault of their own: lost workers, failed steps, models</span>
        </h2>
        {found.data && found.data.tasks.length > 0 && (
          <span className="flex gap-1.5">
            <Link to="/?dead=true" className="self-center text-accent underline">
              in the list
            </Link>
            <Button refused={why} disabled={!number.data} onClick={() => setAsking(true)}>
              Retry all{number.data ? ` ${number.data.count}` : ""}
            </Button>
          </span>
        )}
      </div>
      {found.isPending ? (
        <Loading lines={2} />
      ) : found.isLoadingError ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : found.data.tasks.length === 0 ? (
        <div className="panel">
          <Empty title="None">A task comes here that three workers were lost with, or whose plugin or model failed.</Empty>
        </div>
      ) : (
        <ul className="panel divide-y divide-line">
          {found.data.tasks.map((task) => (
            <li key={task.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-1.5">
              <div className="min-w-0 flex-1 basis-60">
                <Link to={`/tasks/${task.id}`} className="foreign line-clamp-1 hover:underline">
                  {task.goal}
                </Link>
                <p className="foreign line-clamp-2 text-xs text-bad">{task.reason && reason(task.reason).long}</p>
              </div>
              <span className="text-xs text-soft">{task.ended_at && <Ago at={task.ended_at} now={now} />}</span>
              <Button
                refused={why}
                disabled={requeue.isPending}
                aria-label={`Retry ${task.id.slice(-6)}`}
                onClick={() => requeue.mutate(task.id)}
              >
                Retry
              </Button>
            </li>
          ))}
        </ul>
      )}
      {asking && number.data && (
        <Ask deed="requeue" ids={undefined} wish={DEAD} number={number.data.count} onClose={() => setAsking(false)}>
          <p className="mt-2">What failed them should be mended first.</p>
        </Ask>
      )}
    </section>
  );
}
