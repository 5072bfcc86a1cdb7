import { useCallback, useMemo, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { FileDown } from "lucide-react";
import type { Task } from "../api/client";
import { files as filesQuery } from "../api/queries";
import { bytes, count, plural } from "../format";
import { useAddress } from "../hooks/useAddress";
import { save } from "../save";
import type { Packed } from "../task/archive";
import { resultOf } from "../task/rounds";
import { buttonLook, Button } from "./Button";
import { Copy } from "./Copy";
import { Empty, Loading } from "./Empty";
import { Failure } from "./Notice";
import { RoundSelect } from "./RoundSelect";

/** Rows of the list at a time; whoever has more files looks for one by its name. */
const SHOWN = 500;

/** The files of one of the task's trees, and the content of one of them. */
export function Files({ task, version }: { task: Task; version: string }) {
  const [params, change] = useAddress();
  const round = Number(params.get("round") ?? -1);
  const [asked, line] = [params.get("file"), Number(params.get("line") ?? 0)];
  const found = useQuery(filesQuery(task.id, round < 0 ? undefined : round, round < 0 ? version : ""));
  const [search, setSearch] = useState("");
  const wanted = search.toLowerCase();
  const all = useMemo(() => found.data ?? [], [found.data]);
  const shown = all.filter((file) => file.path.toLowerCase().includes(wanted));
  const tests = new Set(task.spec.tests);
  const open = asked ? all.find((file) => file.path === asked) : shown[0];
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center gap-2">
        <RoundSelect
          className="flex items-center gap-1.5"
          label="Files of"
          first="the submission"
          last={resultOf(task)}
          rounds={task.rounds}
          value={round}
          onChange={(round) => change({ round: String(round), line: "" })}
        />
        <a
          className={buttonLook()}
          href={`/api/v1/tasks/${task.id}/archive${round < 0 ? "" : `?round=${round}`}`}
          download
          title="All of these files as .tar.gz"
        >
          <FileDown className="size-4" aria-hidden /> Download all
        </a>
        {found.data && (
          <span className="text-soft">
            {plural(all.length, "file")}, {bytes(all.reduce((sum, file) => sum + file.bytes.length, 0))}
          </span>
        )}
      </div>
      {found.isPending ? (
        <Loading lines={6} />
      ) : found.isLoadingError ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : all.length === 0 ? (
        <div className="panel">
          <Empty title="No file">This tree is empty.</Empty>
        </div>
      ) : (
        <div className="grid gap-3 md:grid-cols-[minmax(12rem,18rem)_1fr]">
          <nav aria-label="Files" className="panel flex max-h-64 min-w-0 flex-col md:max-h-[70vh]">
            <input
              type="search"
              aria-label="Search the files"
              placeholder="Search the files"
              className="field m-1.5"
              value={search}
              onChange={(event) => setSearch(event.target.value)}
            />
            <ul className="min-h-0 flex-1 overflow-auto border-t border-line text-xs">
              {shown.slice(0, SHOWN).map((file) => (
                <li key={file.path}>
                  <button
                    type="button"
                    aria-current={file === open || undefined}
                    onClick={() => change({ file: file.path, line: "" })}
                    className={`flex w-full items-center gap-2 px-2.5 py-1.5 text-left ${file === open ? "bg-accent-wash" : "hover:bg-sunken"}`}
                  >
                    <span className="foreign min-w-0 flex-1 font-mono">{file.path}</span>
                    {tests.has(file.path) && <span className="rounded bg-sunken px-1 text-soft">test</span>}
                    <span className="text-soft tabular-nums">{bytes(file.bytes.length)}</span>
                  </button>
                </li>
              ))}
              {shown.length > SHOWN && <li className="px-2.5 py-1.5 text-soft">{plural(shown.length - SHOWN, "more file")}</li>}
            </ul>
          </nav>
          {open ? <Content key={`${round} ${open.path} ${line}`} file={open} line={line} /> : <Empty title={asked ? `${asked} is not among them` : "No file has this in its name"} />}
        </div>
      )}
    </div>
  );
}

/** Lines of a file at a time, and characters of a line. */
const LINES_SHOWN = 1_500;
const LINE_SHOWN = 2_000;

/** `line`: one to mark; 0: none. */
function Content({ file, line }: { file: Packed; line: number }) {
  const [limit, setLimit] = useState(LINES_SHOWN + line);
  const inSight = useCallback((mark: HTMLElement | null) => mark?.scrollIntoView({ block: "center" }), []);
  const text = useMemo(() => textOf(file.bytes), [file]);
  const lines = text?.replace(/\n$/, "").split("\n") ?? [];
  const download = () => save(file.path.split("/").at(-1)!, new Blob([file.bytes as BlobPart]));
  return (
    <section className="panel flex min-w-0 flex-col md:max-h-[70vh]" aria-label={file.path}>
      <header className="flex items-center gap-2 border-b border-line px-3 py-1">
        <h2 className="foreign flex-1 font-mono text-xs font-medium">{file.path}</h2>
        <span className="text-xs whitespace-nowrap text-soft">
          {file.executable && "executable, "}
          {text === undefined ? "binary" : plural(lines.length, "line")}
        </span>
        {text !== undefined && <Copy text={text} label="Copy the file" />}
        <Button look="quiet" className="!px-1.5" onClick={download} aria-label="Download the file" title="Download the file">
          <FileDown className="size-4" aria-hidden />
        </Button>
      </header>
      {text === undefined ? (
        <p className="p-3 text-soft">Binary, {bytes(file.bytes.length)}: download it to look at it.</p>
      ) : (
        <div className="min-h-0 flex-1 overflow-auto font-mono text-xs leading-5" tabIndex={0} role="region" aria-label={`Content of ${file.path}`}>
          <div className="relative isolate grid grid-cols-[auto_1fr] py-2">
            {line > 0 && line <= lines.length && (
              <div
                ref={inSight}
                role="note"
                aria-label={`Line ${line}`}
                className="absolute inset-x-0 -z-10 h-5 bg-warn-wash"
                style={{ top: `calc(0.5rem + ${line - 1} * 1.25rem)` }}
              />
            )}
            <pre className="px-3 text-right text-soft select-none" aria-hidden>
              {lines.slice(0, limit).map((_, index) => `${index + 1}\n`)}
            </pre>
            <pre>
              <bdi>
                {lines.slice(0, limit).map((line) => (line.length > LINE_SHOWN ? `${line.slice(0, LINE_SHOWN)} …\n` : `${line}\n`))}
              </bdi>
            </pre>
          </div>
          {lines.length > limit && (
            <Button look="quiet" className="m-2" onClick={() => setLimit(limit * 4)}>
              {count(lines.length - limit)} more lines
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.subarray(0, 8_000).includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
