import { useEffect, useMemo, type ReactNode } from "react";
import type { UseQueryResult } from "@tanstack/react-query";
import { FileDown } from "lucide-react";
import { parseDiff } from "react-diff-view";
import "react-diff-view/style/index.css";
import { plural } from "../format";
import { useAddress } from "../hooks/useAddress";
import { fileName, foldedAt, sizeOf } from "../task/patch";
import { buttonLook } from "./Button";
import { Copy } from "./Copy";
import { Empty, Loading } from "./Empty";
import { FileDiff } from "./FileDiff";
import { Failure } from "./Notice";

interface Props {
  found: UseQueryResult<string>;
  /** Of which trees it is: what was folded in another patch says nothing of this one. */
  of: string;
  /** Where to download it, and under which name. */
  href: string;
  name: string;
  /** What it means that no file differs. */
  same: string;
  /** Of its names in the address and its elements' ids, where the page has two. */
  prefix?: string;
  /** The choice of the trees. */
  children: ReactNode;
}

/** What differs between two trees, file by file. */
export function Patch({ found, of, href, name, same, prefix = "", children }: Props) {
  const [params, change] = useAddress(prefix);
  const view = params.get("view") === "split" ? "split" : "unified";
  const [file, line] = [params.get("file"), Number(params.get("line") ?? 0)];
  const patch = found.data ?? "";
  const files = useMemo(() => (patch ? parseDiff(patch) : []), [patch]);
  const sizes = useMemo(() => files.map(sizeOf), [files]);
  const folded = useMemo(() => foldedAt(sizes), [sizes]);
  const idOf = (file: string) => `${prefix}file-${file}`;
  const goTo = (file: string) => document.getElementById(idOf(file))?.scrollIntoView({ block: "start" });
  const asked = file && files.length > 0 ? idOf(file) : undefined;
  useEffect(() => {
    if (asked) document.getElementById(asked)?.scrollIntoView({ block: "start" });
  }, [asked]);
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center gap-2">
        {children}
        <select aria-label="View" className="field" value={view} onChange={(event) => change({ view: event.target.value })}>
          <option value="unified">unified</option>
          <option value="split">side by side</option>
        </select>
        {found.data !== undefined && (
          <span className="text-soft">
            {plural(files.length, "file")}, <span className="text-good">+{sizes.reduce((sum, { added }) => sum + added, 0)}</span>{" "}
            <span className="text-bad">−{sizes.reduce((sum, { removed }) => sum + removed, 0)}</span>
          </span>
        )}
        <Copy text={patch} label="Copy the patch" />
        <a className={buttonLook("quiet")} href={href} download={name}>
          <FileDown className="size-4" aria-hidden /> Patch
        </a>
        {files.length > 1 && (
          <select aria-label="Go to a file" className="field max-w-48" value="" onChange={(event) => goTo(event.target.value)}>
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
          <Empty title="No file differs">{same}</Empty>
        </div>
      ) : (
        files.map((one, index) => (
          <FileDiff
            key={`${of} ${fileName(one)}`}
            id={idOf(fileName(one))}
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
