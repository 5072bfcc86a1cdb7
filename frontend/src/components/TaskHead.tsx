import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { Ban, FileArchive, FileDiff, RotateCcw } from "lucide-react";
import type { Task } from "../api/client";
import { useCancel } from "../api/mutations";
import { children } from "../api/queries";
import { compact, count, duration, money, reason } from "../format";
import { useNow } from "../hooks/useNow";
import type { Story } from "../task/story";
import { Badge } from "./Badge";
import { Button, buttonLook } from "./Button";
import { Copy } from "./Copy";
import { Goal } from "./Goal";
import { Meter } from "./Meter";
import { Time } from "./Time";

interface Props {
  task: Task;
  story: Story;
  onAgain: () => void;
}

export function TaskHead({ task, story, onAgain }: Props) {
  const cancel = useCancel();
  const { id, outcome, spend, state } = task;
  const { budget, pipeline } = task.spec;
  const now = useNow(state === "running");
  const wall = task.started_at ? (task.ended_at ?? now) - task.started_at : 0;
  const step = story.steps.at(-1);
  const told = outcome && reason(outcome.reason);
  return (
    <section className="panel space-y-3 p-3 md:p-4" aria-label="The task at a glance">
      <div className="flex flex-wrap items-start justify-between gap-2">
        <Goal text={task.spec.goal} />
        <div className="flex flex-wrap gap-1.5">
          <a className={buttonLook()} href={`/api/v1/tasks/${id}/diff`} download={`${id}.patch`}>
            <FileDiff className="size-4" aria-hidden /> Patch
          </a>
          <a className={buttonLook()} href={`/api/v1/tasks/${id}/archive`} download>
            <FileArchive className="size-4" aria-hidden /> Archive
          </a>
          <Button onClick={onAgain}>
            <RotateCcw className="size-4" aria-hidden /> Run again…
          </Button>
          {state !== "ended" && (
            <Button look="bad" disabled={task.cancel || cancel.isPending} onClick={() => cancel.mutate(id)}>
              <Ban className="size-4" aria-hidden /> {task.cancel ? "Cancelling…" : "Cancel"}
            </Button>
          )}
        </div>
      </div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1" aria-live="polite">
        <Badge state={state} reason={outcome?.reason} cancel={task.cancel} />
        {told ? (
          <span className="foreign line-clamp-3">{told.long}</span>
        ) : state === "running" && step ? (
          <span>
            Round {step.round} of at most {budget.rounds}: {step.kind} with <code>{step.plugin}</code>
          </span>
        ) : (
          <span className="text-soft">Waiting for a worker</span>
        )}
      </div>
      <div className="grid grid-cols-2 gap-x-5 gap-y-2 md:grid-cols-5">
        <Meter label="Rounds" value={Math.max(spend.rounds, step?.round ?? 0)} limit={budget.rounds} show={count} />
        <Meter
          label="Tokens"
          value={spend.input_tokens + spend.output_tokens}
          limit={budget.tokens ?? undefined}
          show={compact}
        />
        <Meter
          label="Cost"
          value={spend.cost_micros ?? 0}
          limit={budget.cost_micros ?? undefined}
          show={money}
          unknown={spend.cost_micros == null && spend.model_calls > 0 ? "price unknown" : undefined}
        />
        <Meter label="Wall time" value={wall} limit={budget.wall_ms} show={duration} />
        <Meter label="Compute" value={spend.compute_ms} limit={budget.compute_ms} show={duration} />
      </div>
      <dl className="flex flex-wrap gap-x-5 gap-y-1 text-xs [&_dt]:text-soft [&>div]:flex [&>div]:items-center [&>div]:gap-1.5">
        <div>
          <dt>Task</dt>
          <dd className="flex items-center gap-1.5 font-mono">
            {id}
            <Copy text={id} label="Copy the id" />
          </dd>
        </div>
        <Fact name="Pipeline" value={pipeline.name} />
        {pipeline.model && <Fact name="Model" value={pipeline.model} />}
        {task.worker && <Fact name="Worker" value={task.worker} />}
        <div>
          <dt>Submitted</dt>
          <dd>
            <Time at={task.submitted_at} />
          </dd>
        </div>
        <Relatives task={task} />
      </dl>
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="foreign">{value}</dd>
    </div>
  );
}

function Relatives({ task }: { task: Task }) {
  const found = useQuery(children(task.id));
  const parent = task.spec.parent;
  const link = "font-mono text-accent underline";
  return (
    <>
      {parent && (
        <div>
          <dt>Runs again</dt>
          <dd>
            <Link className={link} to={`/tasks/${parent}`}>
              {parent.slice(-6)}
            </Link>{" "}
            (
            <Link className="text-accent underline" to={`/compare?left=${parent}&right=${task.id}`}>
              compare
            </Link>
            )
          </dd>
        </div>
      )}
      {found.data && found.data.tasks.length > 0 && (
        <div>
          <dt>Run again as</dt>
          <dd className="flex gap-2">
            {found.data.tasks.map((child) => (
              <Link key={child.id} className={link} to={`/tasks/${child.id}`}>
                {child.id.slice(-6)}
              </Link>
            ))}
          </dd>
        </div>
      )}
    </>
  );
}
