import { useQuery } from "@tanstack/react-query";
import { Navigate } from "react-router";
import type { Task } from "../api/client";
import { diff } from "../api/queries";
import { useAddress } from "../hooks/useAddress";
import { patchUrl } from "../task/patch";
import { resultOf } from "../task/rounds";
import { Patch } from "./Patch";
import { RoundSelect } from "./RoundSelect";

interface Props {
  task: Task;
  version: string;
  prefix?: string;
}

/** The changed files, between any two of the task's trees. */
export function Changes({ task, version, prefix }: Props) {
  const [params, change] = useAddress(prefix);
  const round = Number(params.get("round") ?? 0);
  const from = Number(params.get("from") ?? 0);
  const span = { round: round || undefined, from: from || undefined };
  return (
    <Patch
      found={useQuery(diff(task.id, span, round ? "" : version))}
      of={`${from} ${round}`}
      href={patchUrl(task.id, span)}
      name={`${task.id}.patch`}
      same={round || from ? "These two trees are identical" : task.outcome ? "Nothing was changed" : "Nothing changed yet"}
      hint={task.outcome || task.rounds.length > 0 ? undefined : "The first round's changes appear here."}
      prefix={prefix}
      // A failing test is seldom among what changed.
      elsewhere={prefix === undefined && <Navigate replace to={{ search: inFiles(params) }} />}
    >
      <RoundSelect
        className="flex items-center gap-1.5"
        label="From"
        first="the submission"
        rounds={task.rounds}
        value={from}
        onChange={(round) => change({ from: round ? String(round) : "", file: "", line: "" })}
      />
      <RoundSelect
        className="flex items-center gap-1.5"
        label="to"
        first={resultOf(task)}
        rounds={task.rounds}
        value={round}
        onChange={(round) => change({ round: round ? String(round) : "", file: "", line: "" })}
      />
    </Patch>
  );
}

/** The same line in the tab of the files. */
function inFiles(params: URLSearchParams): string {
  const place = new URLSearchParams(params);
  place.set("tab", "files");
  return place.toString();
}
