import type { Draft } from "../hooks/useDraft";
import { FileFields } from "./FileFields";
import { Notice } from "./Notice";

interface Props {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
  archive: File | undefined;
  onArchive: (archive: File | undefined) => void;
  /** The folders under which the operator lets repositories be read. */
  gitDirs: string[];
  /** The addresses at or below which they may be fetched. */
  gitUrls: string[];
  limits: { files: number; tree_bytes: number } | undefined;
}

/** What the task begins with: files on this page, or a git repository that the host reads. */
export function SourceFields({ draft, onChange, archive, onArchive, gitDirs, gitUrls, limits }: Props) {
  const git = draft.source === "git";
  const allowed = [...gitDirs, ...gitUrls];
  const example = gitDirs[0] ?? gitUrls[0] ?? "/srv/git";
  return (
    <div className="space-y-2">
      {(allowed.length > 0 || git) && (
        <fieldset className="flex flex-wrap gap-4">
          <legend className="sr-only">Where the files come from</legend>
          {(["files", "git"] as const).map((source) => (
            <label key={source} className="flex items-center gap-1.5">
              <input
                type="radio"
                name="source"
                checked={draft.source === source}
                onChange={() => (onArchive(undefined), onChange({ source }))}
              />
              {source === "files" ? "Files from here" : "A git repository"}
            </label>
          ))}
        </fieldset>
      )}
      {git ? (
        <section aria-label="Repository" className="panel space-y-3 p-3">
          {allowed.length === 0 && (
            <Notice look="warn">
              This host reads no repositories; its operator can set api.git_dirs and api.git_urls.
            </Notice>
          )}
          <div className="grid gap-3 sm:grid-cols-[2fr_1fr]">
            <label className="grid gap-1">
              {gitUrls.length === 0 ? "Path" : gitDirs.length === 0 ? "URL" : "Path or URL"}
              <input
                required
                className="field font-mono text-xs"
                placeholder={`${example.replace(/\/$/, "")}/project`}
                value={draft.gitPath}
                onChange={(event) => onChange({ gitPath: event.target.value })}
              />
            </label>
            <label className="grid gap-1">
              Revision
              <input
                className="field font-mono text-xs"
                placeholder="HEAD, or a branch, tag, commit"
                value={draft.gitRevision}
                onChange={(event) => onChange({ gitRevision: event.target.value })}
              />
            </label>
          </div>
          {allowed.length > 0 && (
            <p className="foreign text-xs text-soft">
              Under {allowed.join(", ")}. Its committed files are taken; the repository itself stays as it is.
            </p>
          )}
        </section>
      ) : (
        <FileFields
          files={draft.files}
          onChange={(files) => onChange({ files })}
          archive={archive}
          onArchive={(archive) => (onArchive(archive), onChange({ tests: "" }))}
          onTests={(paths) => onChange({ tests: paths.join("\n") })}
          limits={limits}
        />
      )}
      {(git || archive) && (
        <label className="grid gap-1">
          <span>
            Tests <span className="text-soft">that the result must pass, and no step may change; a path a line</span>
          </span>
          <textarea
            rows={Math.min(8, Math.max(2, draft.tests.split("\n").length))}
            spellCheck={false}
            className="field font-mono text-xs"
            placeholder="left empty: the checker finds them by their names"
            value={draft.tests}
            onChange={(event) => onChange({ tests: event.target.value })}
          />
        </label>
      )}
    </div>
  );
}
