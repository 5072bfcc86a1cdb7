import { Pause, Play } from "lucide-react";
import type { Schema } from "../api/client";
import { usePauseQueue } from "../api/mutations";
import { count } from "../format";
import { useMay } from "../hooks/useMay";
import { Button } from "./Button";

const DEFAULT: Schema["QueueStats"] = { name: "default", paused: false, waiting: 0, delayed: 0, running: 0 };

/** What waits where, and whether workers take it. */
export function Queues({ queues }: { queues: Schema["QueueStats"][] }) {
  const pause = usePauseQueue();
  const why = useMay().why("administrator");
  // An empty queue is not told of, but one may want to pause it.
  const all = queues.some((queue) => queue.name === DEFAULT.name) ? queues : [DEFAULT, ...queues];
  return (
    <div className="panel relative overflow-x-auto" tabIndex={0} role="region" aria-label="Queues">
      <table className="w-full text-right tabular-nums [&_td]:px-2 [&_td]:py-1.5 sm:[&_td]:px-3 [&_th]:px-2 sm:[&_th]:px-3 [&_th]:py-1.5 [&_th]:font-medium">
        <thead className="border-b border-line text-xs text-soft">
          <tr>
            <th className="text-left">Queue</th>
            <th>Waiting</th>
            <th title="Not to begin before a time that is still to come">Delayed</th>
            <th>Running</th>
            <th>
              <span className="sr-only">Pause or resume</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {all.map(({ name, paused, waiting, delayed, running }) => (
            <tr key={name} className="border-b border-line last:border-0">
              <td className="text-left">
                <span className="foreign whitespace-nowrap">{name}</span>{" "}
                {paused && <span className="rounded bg-warn-wash px-1.5 text-xs text-warn">paused</span>}
              </td>
              <td>{count(waiting)}</td>
              <td>{count(delayed)}</td>
              <td>{count(running)}</td>
              <td className="w-10 sm:w-32">
                <Button
                  refused={why}
                  disabled={pause.isPending}
                  onClick={() => pause.mutate({ name, paused: !paused })}
                  aria-label={`${paused ? "Resume" : "Pause"} ${name}`}
                >
                  {paused ? <Play className="size-4" aria-hidden /> : <Pause className="size-4" aria-hidden />}
                  <span className="hidden sm:inline">{paused ? "Resume" : "Pause"}</span>
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
