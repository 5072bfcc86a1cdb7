import type { Round } from "../api/client";

interface Props {
  label: string;
  /** What stands for 0: the tree that was submitted. */
  first: string;
  /** What stands for -1, where it is offered: the tree that counts. */
  last?: string;
  rounds: Round[];
  value: number;
  onChange: (round: number) => void;
  className?: string;
}

/** One of a task's trees. Rounds that left none are not offered. */
export function RoundSelect({ label, first, last, rounds, value, onChange, className = "" }: Props) {
  return (
    <label className={className}>
      {label}
      <select className="field" value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {last && <option value={-1}>{last}</option>}
        <option value={0}>{first}</option>
        {rounds
          .filter((round) => round.tree)
          .map((round) => (
            <option key={round.number} value={round.number}>
              round {round.number}
            </option>
          ))}
      </select>
    </label>
  );
}
