import { useQuery } from "@tanstack/react-query";
import type { Task } from "../api/client";
import { diff } from "../api/queries";
import { useAddress } from "../hooks/useAddress";
import { patchUrl } from "../task/patch";
import { resultOf } from "../task/rounds";
import { Patch } from "./Patch";
import { RoundSelect } from "./RoundSelect";

/** Of a name in the address that asks for no round. */
const RESULT = -1;

/** What differs between the trees of two tasks: between their results, unless others are chosen. */
export function Between({ left, right, version }: { left: Task; right: Task; version: string }) {
  const [params, change] = useAddress();
  const round = Number(params.get("round") ?? RESULT);
  const from = Number(params.get("from") ?? RESULT);
  const span = { with: left.id, from: from < 0 ? undefined : from, round: round < 0 ? undefined : round };
  const choices = [
    ["from", "From the left", left, from],
    ["round", "to the right", right, round],
  ] as const;
  return (
    <Patch
      found={useQuery(diff(right.id, span, version))}
      of={`${from} ${round}`}
      href={patchUrl(right.id, span)}
      name={`${left.id.slice(-6)}-${right.id.slice(-6)}.patch`}
      same={from < 0 && round < 0 ? "The two results are identical" : "These two trees are identical"}
    >
      {choices.map(([name, label, task, value]) => (
        <RoundSelect
          key={name}
          className="flex items-center gap-1.5"
          label={label}
          first="the submission"
          last={resultOf(task)}
          rounds={task.rounds}
          value={value}
          onChange={(round) => change({ [name]: round < 0 ? "" : String(round) })}
        />
      ))}
    </Patch>
  );
}
