import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import type { Schema, TaskSummary } from "../api/client";
import { running } from "../api/queries";
import { count, duration, plural } from "../format";
import { grouped } from "../task/grouped";
import { roundsOf } from "../task/rounds";
import { Empty } from "./Empty";
import { Ago } from "./Time";

interface Props {
  workers: Schema["WorkerInfo"][];
  waiting: number;
  now: number;
}

/** Each worker with what it holds; and what is between two workers. */
export function WorkerList({ workers, waiting, now }: Props) {
  const found = useQuery(running);
  const tasks = grouped(found.data?.tasks ?? [], (task) => task.worker ?? "");
  const lost = [...tasks].filter(([name]) => !workers.some((worker) => worker.name === name)).flatMap(([, tasks]) => tasks);
  return (
    <div className="space-y-3">
      {workers.length === 0 && (
        <div className="panel">
          <Empty title="No worker is polling">
            {waiting > 0 && `${plural(waiting, "task")} waiting, and nobody takes them. `}
            <code>aiagent-host --role worker</code> on the same store starts one.
          </Empty>
        </div>
      )}
      {workers.map((worker) => (
        <section key={worker.name} className="panel" aria-label={worker.name}>
          <div className="flex flex-wrap items-baseline gap-x-4 gap-y-1 px-3 py-2">
            <h3 className="foreign font-medium">{worker.name}</h3>
            {worker.draining && <span className="rounded bg-warn-wash px-1.5 text-xs text-warn">shutting down</span>}
            <span className="tabular-nums">
              {count(worker.running)} <span className="text-soft">of {plural(worker.capacity, "task")}</span>
            </span>
            <span className="text-soft">
              heard from <Ago at={worker.seen_at} now={now} />
            </span>
            <span className="foreign text-xs text-soft">
              {worker.host}, process {worker.pid}, version {worker.version}, up for {duration(Math.max(0, now - worker.started_at))}
            </span>
          </div>
          <TaskList tasks={tasks.get(worker.name) ?? []} now={now} />
        </section>
      ))}
      {lost.length > 0 && (
        <section className="panel" aria-label="Between two workers">
          <div className="px-3 py-2">
            <h3 className="font-medium">Between two workers</h3>
            <p className="text-soft">Their worker was not heard of lately; another takes them when the lease has run out.</p>
          </div>
          <TaskList tasks={lost} now={now} />
        </section>
      )}
      {found.data?.next && <p className="text-soft">Of the newest {count(found.data.tasks.length)} running tasks.</p>}
    </div>
  );
}

function TaskList({ tasks, now }: { tasks: TaskSummary[]; now: number }) {
  if (tasks.length === 0) return null;
  return (
    <ul className="divide-y divide-line border-t border-line">
      {tasks.map((task) => (
        <li key={task.id} className="flex items-center gap-3 px-3 py-1.5">
          <Link to={`/tasks/${task.id}`} className="foreign line-clamp-1 flex-1 hover:underline">
            {task.goal}
          </Link>
          <span className="whitespace-nowrap text-soft tabular-nums">
            round {roundsOf(task)} of {task.budget.rounds} · {task.started_at ? duration(Math.max(0, now - task.started_at)) : "–"}
          </span>
        </li>
      ))}
    </ul>
  );
}
