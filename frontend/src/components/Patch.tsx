import { useEffect, useMemo, useState, type ReactNode } from "react";
import type { UseQueryResult } from "@tanstack/react-query";
import { FileDown } from "lucide-react";
import { parseDiff } from "react-diff-view";
import "react-diff-view/style/index.css";
import { bytes, plural } from "../format";
import { useAddress } from "../hooks/useAddress";
import { fileName, foldedAt, hasLine, sizeOf } from "../task/patch";
import { Button, buttonLook } from "./Button";
import { Copy } from "./Copy";
import { Empty, Loading } from "./Empty";
import { FileDiff } from "./FileDiff";
import { Failure, Notice } from "./Notice";

/** Files at a time. */
const FILES_SHOWN = 200;
/** Characters; to take apart more would hold up the page for seconds. */
const LARGEST = 16_000_000;

interface Props {
  found: UseQueryResult<string>;
  /** Of which trees it is: what was folded in another patch says nothing of this one. */
  of: string;
  /** Where to download it, and under which name. */
  href: string;
  name: string;
  /** What it means that no file differs. */
  same: string;
  /** And what will be there. */
  hint?: string;
  /** Of its names in the address and its elements' ids, where the page has two. */
  prefix?: string;
  /** In its place, where the address asks for a line that is not in it. */
  elsewhere?: ReactNode;
  /** The choice of the trees. */
  children: ReactNode;
}

/** What differs between two trees, file by file. */
export function Patch({ found, of, href, name, same, hint, prefix = "", elsewhere, children }: Props) {
  const [params, change] = useAddress(prefix);
  const view = params.get("view") === "split" ? "split" : "unified";
  const [file, line] = [params.get("file"), Number(params.get("line") ?? 0)];
  const patch = found.data ?? "";
  const tooLarge = patch.length > LARGEST;
  const files = useMemo(() => {
    if (!patch || tooLarge) return [];
    // Side by side, the first of the lines removed stands beside the first of those in their place.
    return parseDiff(patch, view === "split" ? { nearbySequences: "zip" } : undefined);
  }, [patch, tooLarge, view]);
  const [limit, setLimit] = useState(FILES_SHOWN);
  const sizes = useMemo(() => files.map(sizeOf), [files]);
  const folded = useMemo(() => foldedAt(sizes), [sizes]);
  const idOf = (file: string) => `${prefix}file-${file}`;
  const askedAt = files.findIndex((one) => fileName(one) === file);
  const shown = files.slice(0, Math.max(limit, askedAt + 1));
  const scrollTo = (file: string) => document.getElementById(idOf(file))?.scrollIntoView({ block: "start" });
  const asked = file && askedAt >= 0 ? idOf(file) : undefined;
  useEffect(() => {
    if (asked) document.getElementById(asked)?.scrollIntoView({ block: "start" });
  }, [asked]);
  const isElsewhere = found.isSuccess && !tooLarge && params.has("line") && !files.some((one) => fileName(one) === file && hasLine(one, line));
  if (isElsewhere && elsewhere) return elsewhere;
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center gap-2">
        {children}
        <select aria-label="View" className="field" value={view} onChange={(event) => change({ view: event.target.value })}>
          <option value="unified">unified</option>
          <option value="split">side by side</option>
        </select>
        {files.length > 0 && (
          <span className="text-soft">
            {plural(files.length, "file")}, <span className="text-good">+{sizes.reduce((sum, { added }) => sum + added, 0)}</span>{" "}
            <span className="text-bad">−{sizes.reduce((sum, { removed }) => sum + removed, 0)}</span>
          </span>
        )}
        {patch && !tooLarge && <Copy text={patch} label="Copy the patch" />}
        {patch && (
          <a className={buttonLook("quiet")} href={href} download={name}>
            <FileDown className="size-4" aria-hidden /> Download patch
          </a>
        )}
        {files.length > 1 && (
          <select
            aria-label="Go to a file"
            className="field max-w-48"
            value=""
            onChange={({ target: { value } }) => {
              change({ file: value, line: "" });
              scrollTo(value);
            }}
          >
            <option value="">Go to a file…</option>
            {[...new Set(files.map(fileName))].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </div>
      {found.isPending ? (
        <Loading lines={6} />
      ) : found.isLoadingError ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : tooLarge ? (
        <Notice>
          This patch has {bytes(patch.length)}, which is more than a page can show at once. Choose two trees that are closer,
          or download it.
        </Notice>
      ) : files.length === 0 ? (
        <div className="panel">
          <Empty title={same}>{hint}</Empty>
        </div>
      ) : (
        <>
          {file && askedAt < 0 && <Notice look="warn">{file} is the same in both trees; the files show it.</Notice>}
          {shown.map((one, index) => (
            <FileDiff
              // A link that became a file is both removed and new.
              key={`${of} ${one.type} ${fileName(one)}`}
              id={idOf(fileName(one))}
              file={one}
              view={view}
              folded={folded[index]!}
              line={fileName(one) === file ? line : 0}
            />
          ))}
        </>
      )}
      {files.length > shown.length && (
        <Button onClick={() => setLimit(4 * limit)}>{plural(files.length - shown.length, "more file")}</Button>
      )}
    </div>
  );
}
