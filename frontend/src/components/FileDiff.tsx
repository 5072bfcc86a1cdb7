import { useState } from "react";
import { Decoration, Diff, getChangeKey, Hunk, type FileData } from "react-diff-view";
import { ChevronDown, ChevronRight } from "lucide-react";
import { plural } from "../format";
import { fileName, firstChanges, sizeOf } from "../task/patch";
import { Button } from "./Button";

/** Lines drawn at a time. */
const LINES_SHOWN = 1_000;
/** Of one line, as with the log. */
const LINE_SHOWN = 2_000;

interface Props {
  id: string;
  file: FileData;
  view: "unified" | "split";
  folded: boolean;
  /** A line of the new file to mark; 0: none. */
  line: number;
}

export function FileDiff({ id, file, view, folded, line }: Props) {
  const { added, removed } = sizeOf(file);
  const [open, setOpen] = useState(line > 0 || !folded);
  const [limit, setLimit] = useState(line > 0 ? Infinity : LINES_SHOWN);
  const { hunks, left } = firstChanges(file.hunks, limit);
  const name = fileName(file);
  const marked = file.hunks
    .flatMap((hunk) => hunk.changes)
    .filter((change) => change.type !== "delete" && (change.type === "insert" ? change.lineNumber : change.newLineNumber) === line)
    .map(getChangeKey);
  const Icon = open ? ChevronDown : ChevronRight;
  return (
    <div className="panel overflow-hidden" id={id}>
      <h2>
        <button
          type="button"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="flex w-full items-center gap-2 px-2 py-1.5 text-left hover:bg-sunken"
        >
          <Icon className="size-4 shrink-0 text-soft" aria-hidden />
          <code className="foreign flex-1 text-xs font-medium">{name}</code>
          <span className="text-xs text-soft">{{ add: "new", delete: "removed", modify: "", rename: "renamed", copy: "copied" }[file.type]}</span>
          <span className="text-xs tabular-nums">
            <span className="text-good">+{added}</span> <span className="text-bad">−{removed}</span>
          </span>
        </button>
      </h2>
      {open && file.hunks.length === 0 && <p className="border-t border-line p-3 text-soft">Binary, or only its mode changed.</p>}
      {open && file.hunks.length > 0 && (
        <div className="overflow-x-auto border-t border-line" tabIndex={0} role="group" aria-label={`Changes of ${name}`}>
          <Diff
            viewType={view}
            diffType={file.type}
            hunks={hunks}
            selectedChanges={marked}
            renderToken={(token, render, index) => render(token, index)}
          >
            {(hunks) =>
              hunks.flatMap((hunk) => [
                <Decoration key={`${hunk.content} head`}>{hunk.content.slice(0, LINE_SHOWN)}</Decoration>,
                <Hunk key={hunk.content} hunk={clipped(hunk)} />,
              ])
            }
          </Diff>
          {left > 0 && (
            <Button look="quiet" className="m-2" onClick={() => setLimit(limit * 4)}>
              {plural(left, "more line")}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

function clipped(hunk: FileData["hunks"][number]) {
  if (!hunk.changes.some((change) => change.content.length > LINE_SHOWN)) return hunk;
  return {
    ...hunk,
    changes: hunk.changes.map((change) => ({
      ...change,
      content: change.content.length > LINE_SHOWN ? `${change.content.slice(0, LINE_SHOWN)} …` : change.content,
    })),
  };
}
