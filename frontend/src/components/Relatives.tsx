import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "react-router";
import type { Task } from "../api/client";
import { children } from "../api/queries";
import { reason } from "../format";

const short = (id: string) => id.slice(-6);
const link = "font-mono text-accent underline";

/** The tasks of the same goal: the one this runs again, those that run this one again, and a comparison with any of them. */
export function Relatives({ task }: { task: Task }) {
  const parent = task.spec.parent ?? undefined;
  const below = useQuery(children(task.id)).data?.tasks ?? [];
  const beside = useQuery({ ...children(parent ?? ""), enabled: parent !== undefined }).data?.tasks ?? [];
  const siblings = beside.filter((one) => one.id !== task.id);
  const navigate = useNavigate();
  const others = [
    ...(parent ? [{ id: parent, what: "the one before" }] : []),
    ...[...below, ...siblings].map(({ id, pipeline, state, reason: why }) => ({
      id,
      what: `${pipeline}, ${why ? reason(why).short : state}`,
    })),
  ];
  return (
    <>
      {parent && (
        <div>
          <dt>Runs again</dt>
          <dd>
            <Link className={link} to={`/tasks/${parent}`}>
              {short(parent)}
            </Link>{" "}
            (
            <Link className="text-accent underline" to={`/compare?left=${parent}&right=${task.id}`}>
              compare
            </Link>
            )
          </dd>
        </div>
      )}
      {below.length > 0 && (
        <div>
          <dt>Run again as</dt>
          <dd className="flex flex-wrap gap-2">
            {below.map((child) => (
              <Link key={child.id} className={link} to={`/tasks/${child.id}`}>
                {short(child.id)}
              </Link>
            ))}
          </dd>
        </div>
      )}
      {others.length > 0 && (
        <div>
          <dt className="sr-only">Compare</dt>
          <dd>
            <select
              aria-label="Compare with another run"
              className="field max-w-52 py-0.5"
              value=""
              onChange={(event) => void navigate(`/compare?left=${event.target.value}&right=${task.id}`)}
            >
              <option value="">Compare with…</option>
              {others.map(({ id, what }) => (
                <option key={id} value={id}>
                  {short(id)}: {what}
                </option>
              ))}
            </select>
          </dd>
        </div>
      )}
    </>
  );
}
