import type { Round } from "../api/client";

interface Props {
  label: string;
  /** What stands for 0: a tree that no round left. */
  first: string;
  rounds: Round[];
  value: number;
  onChange: (round: number) => void;
  className?: string;
}

/** One of a task's trees. Rounds that left none are not offered. */
export function RoundSelect({ label, first, rounds, value, onChange, className = "" }: Props) {
  return (
    <label className={className}>
      {label}
      <select className="field" value={value} onChange={(event) => onChange(Number(event.target.value))}>
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
