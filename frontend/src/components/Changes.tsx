import { useEffect, useMemo } from "react";
import { useQuery } from "@tanstack/react-query";
import { FileDown } from "lucide-react";
import { parseDiff } from "react-diff-view";
import "react-diff-view/style/index.css";
import type { Task } from "../api/client";
import { diff } from "../api/queries";
import { useAddress } from "../hooks/useAddress";
import { fileName, foldedAt, sizeOf } from "../task/patch";
import { buttonLook } from "./Button";
import { Copy } from "./Copy";
import { Empty, Loading } from "./Empty";
import { FileDiff } from "./FileDiff";
import { Failure } from "./Notice";
import { RoundSelect } from "./RoundSelect";

/** The changed files, between any two of the task's trees. */
export function Changes({ task, version }: { task: Task; version: string }) {
  const [params, change] = useAddress();
  const view = params.get("view") === "split" ? "split" : "unified";
  const round = Number(params.get("round") ?? 0);
  const from = Number(params.get("from") ?? 0);
  const found = useQuery(diff(task.id, { round: round || undefined, from: from || undefined }, round ? "" : version));
  const patch = found.data ?? "";
  const files = useMemo(() => (patch ? parseDiff(patch) : []), [patch]);
  const [file, line] = [params.get("file"), Number(params.get("line") ?? 0)];
  useEffect(() => {
    if (file && files.length) document.getElementById(`file-${file}`)?.scrollIntoView({ block: "start" });
  }, [file, files.length]);
  const folded = useMemo(() => foldedAt(files.map(sizeOf)), [files]);
  const total = files.map(sizeOf).reduce((sum, one) => ({ added: sum.added + one.added, removed: sum.removed + one.removed }), {
    added: 0,
    removed: 0,
  });
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center gap-2">
        <RoundSelect
          className="flex items-center gap-1.5"
          label="From"
          first="the submission"
          rounds={task.rounds}
          value={from}
          onChange={(round) => change({ from: round ? String(round) : "" })}
        />
        <RoundSelect
          className="flex items-center gap-1.5"
          label="to"
          first={task.outcome ? "the result" : "the best so far"}
          rounds={task.rounds}
          value={round}
          onChange={(round) => change({ round: round ? String(round) : "" })}
        />
        <label className="flex items-center gap-1.5">
          <span className="sr-only">View</span>
          <select className="field" value={view} onChange={(event) => change({ view: event.target.value })}>
            <option value="unified">unified</option>
            <option value="split">side by side</option>
          </select>
        </label>
        {found.data !== undefined && (
          <span className="text-soft">
            {files.length} {files.length === 1 ? "file" : "files"}, <span className="text-good">+{total.added}</span>{" "}
            <span className="text-bad">−{total.removed}</span>
          </span>
        )}
        <Copy text={patch} label="Copy the patch" />
        <a className={buttonLook("quiet")} href={`/api/v1/tasks/${task.id}/diff${query(round, from)}`} download={`${task.id}.patch`}>
          <FileDown className="size-4" aria-hidden /> Patch
        </a>
        {files.length > 1 && (
          <select
            aria-label="Go to a file"
            className="field max-w-48"
            value=""
            onChange={(event) => document.getElementById(`file-${event.target.value}`)?.scrollIntoView({ block: "start" })}
          >
            <option value="">Go to a file…</option>
            {files.map((one) => (
              <option key={fileName(one)}>{fileName(one)}</option>
            ))}
          </select>
        )}
      </div>
      {found.isPending ? (
        <Loading lines={6} />
      ) : found.isError ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : files.length === 0 ? (
        <div className="panel">
          <Empty title="No file differs">
            {task.rounds.length === 0 ? "The first round's changes appear here." : "These two trees are the same."}
          </Empty>
        </div>
      ) : (
        files.map((one, index) => (
          <FileDiff
            key={`${round} ${from} ${fileName(one)}`}
            file={one}
            view={view}
            folded={folded[index]!}
            line={fileName(one) === file ? line : 0}
          />
        ))
      )}
    </div>
  );
}

function query(round: number, from: number) {
  const asked = new URLSearchParams({ ...(round && { round: String(round) }), ...(from && { from: String(from) }) });
  return asked.size ? `?${asked}` : "";
}
