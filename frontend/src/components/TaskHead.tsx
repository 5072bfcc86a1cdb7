import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import type { Task } from "../api/client";
import { queues } from "../api/queries";
import { compact, count, duration, money, reason } from "../format";
import { useNow } from "../hooks/useNow";
import { keptOf, roundsOf } from "../task/rounds";
import type { Story } from "../task/story";
import { Badge } from "./Badge";
import { Copy } from "./Copy";
import { Goal } from "./Goal";
import { Meter } from "./Meter";
import { Relatives } from "./Relatives";
import { TaskActions } from "./TaskActions";
import { Time } from "./Time";

interface Props {
  task: Task;
  story: Story;
  onAgain: () => void;
}

export function TaskHead({ task, story, onAgain }: Props) {
  const { id, outcome, spend, state } = task;
  const { budget, pipeline } = task.spec;
  const now = useNow(state === "running");
  const wall = task.started_at ? (task.ended_at ?? now) - task.started_at : 0;
  const step = story.steps.at(-1);
  const kept = keptOf(task) ?? "";
  const told = outcome && reason(outcome.reason);
  const protects = task.spec.changes?.protected;
  // Parts that were asked for in place of the pipeline's own; an empty name: none.
  const chosen = Object.entries(task.spec.changes?.steps ?? {}).map(([part, name]) => (name ? `${part} ${name}` : `no ${part}`));
  return (
    <section className="panel space-y-3 p-3 md:p-4" aria-label="The task at a glance">
      <Goal text={task.spec.goal} />
      {/* A row each: an action more or less, and another sentence, leave the rest in its place. */}
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span aria-live="polite">
          <Badge state={state} reason={outcome?.reason} cancel={task.cancel} />
        </span>
        <TaskActions task={task} onAgain={onAgain} />
      </div>
      <p className="foreign line-clamp-3" aria-live="polite">
        {told ? (
          `${told.long} ${kept}`
        ) : state === "running" && step ? (
          <>
            Round {step.round} of at most {budget.rounds}: {step.kind} with <code>{step.plugin}</code>
          </>
        ) : state === "queued" && task.postponed ? (
          <span className="text-soft">
            Waits until <Time at={task.postponed.until ?? 0} />: {task.postponed.why}
          </span>
        ) : (
          <Waiting queue={task.place?.queue ?? "default"} />
        )}
      </p>
      <div className="grid grid-cols-2 gap-x-5 gap-y-2 md:grid-cols-5">
        <Meter label="Rounds" value={roundsOf({ state, spend, budget })} limit={budget.rounds} show={count} />
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
        <Fact name="Pipeline" value={[pipeline.name, ...chosen].join(", ")} />
        {pipeline.model && <Fact name="Model" value={pipeline.model} />}
        {protects && <Fact name="Protects" value={protects.join(", ")} />}
        {task.place && task.place.queue !== "default" && <Fact name="Queue" value={task.place.queue} />}
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

function Waiting({ queue }: { queue: string }) {
  const line = useQuery(queues);
  const paused = line.data?.queues.some(({ name, paused }) => name === queue && paused);
  if (!paused) return <span className="text-soft">Waiting for a worker</span>;
  return (
    <Link to="/workers" className="foreign text-warn underline">
      Queue {queue} is paused: it waits until the queue is resumed
    </Link>
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
