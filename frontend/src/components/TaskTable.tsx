import { memo, useEffect, useRef } from "react";
import { RotateCcw } from "lucide-react";
import { Link } from "react-router";
import type { TaskSummary } from "../api/client";
import { compact, duration } from "../format";
import { useNow } from "../hooks/useNow";
import { roundsOf } from "../task/rounds";
import { Badge } from "./Badge";
import { Time } from "./Time";

interface Props {
  rows: TaskSummary[];
  /** The row that the keyboard is at. */
  at: string | undefined;
  selected: ReadonlySet<string>;
  onToggle: (id: string) => void;
  onSelect: (ids: ReadonlySet<string>) => void;
}

export function TaskTable({ rows, at, selected, onToggle, onSelect }: Props) {
  const now = useNow(rows.some((row) => row.state === "running"));
  const all = rows.length > 0 && rows.every((row) => selected.has(row.id));
  return (
    <table className="w-full table-fixed border-collapse text-left">
      <caption className="sr-only">Tasks, newest first</caption>
      <thead className="border-b border-line text-xs text-soft">
        <tr className="[&>th]:px-2 [&>th]:py-1.5 [&>th]:font-medium">
          <th className="w-8">
            <input
              type="checkbox"
              aria-label="Select all shown"
              checked={all}
              onChange={() => onSelect(new Set(all ? [] : rows.map((row) => row.id)))}
            />
          </th>
          <th>Goal</th>
          <th className="w-28 sm:w-36">State</th>
          <th className="hidden w-24 lg:table-cell">Pipeline</th>
          <th className="hidden w-16 text-right md:table-cell">Rounds</th>
          <th className="hidden w-20 text-right md:table-cell">Tokens</th>
          <th className="hidden w-24 text-right sm:table-cell">Time</th>
          <th className="hidden w-32 text-right sm:table-cell">Submitted</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row
            key={row.id}
            row={row}
            now={row.state === "running" ? now : 0}
            here={row.id === at} 
            selected={selected.has(row.id)}
            onToggle={onToggle}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  row: TaskSummary;
  now: number;
  here: boolean;
  selected: boolean;
  onToggle: (id: string) => void;
}

const Row = memo(function Row({ row, now, here, selected, onToggle }: RowProps) {
  const place = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (here) place.current?.scrollIntoView({ block: "nearest" });
  }, [here]);
  const time = row.started_at ? (row.ended_at ?? now) - row.started_at : undefined;
  const tokens = row.spend.input_tokens + row.spend.output_tokens;
  return (
    <tr
      ref={place}
      aria-current={here || undefined}
      className={`border-b border-line last:border-0 hover:bg-sunken [&>td]:px-2 [&>td]:py-1.5 ${here ? "bg-sunken shadow-[inset_3px_0_var(--accent)]" : ""}`}
    >
      <td>
        <input type="checkbox" aria-label={`Select ${row.id}`} checked={selected} onChange={() => onToggle(row.id)} />
      </td>
      <td>
        <Link to={`/tasks/${row.id}`} title={row.goal} className="foreign line-clamp-1 hover:underline">
          {row.parent && <RotateCcw className="mr-1 inline size-3 text-soft" aria-label="run again:" />}
          {row.goal}
        </Link>
      </td>
      <td>
        <Badge state={row.state} reason={row.reason} cancel={row.cancel} />
      </td>
      <td className="hidden truncate text-soft lg:table-cell" title={row.model ? `${row.pipeline}, model ${row.model}` : row.pipeline}>
        {row.pipeline}
      </td>
      <td className="hidden text-right tabular-nums md:table-cell">
        {roundsOf(row)}
        <span className="text-soft"> / {row.budget.rounds}</span>
      </td>
      <td className="hidden text-right tabular-nums md:table-cell">{compact(tokens)}</td>
      <td className="hidden text-right tabular-nums whitespace-nowrap sm:table-cell">
        {time === undefined ? <span className="text-soft">–</span> : duration(time)}
      </td>
      <td className="hidden text-right text-soft sm:table-cell">
        <Time at={row.submitted_at} />
      </td>
    </tr>
  );
});
