import { useRef, useState } from "react";
import { FilePlus2, FolderUp, Trash2, Upload } from "lucide-react";
import { bytes } from "../format";
import type { DraftFile } from "../hooks/useDraft";
import { fromDrop, fromList, looksLikeTest, type Dropped } from "../task/files";
import { Button } from "./Button";
import { Failure } from "./Notice";

interface Props {
  files: DraftFile[];
  onChange: (files: DraftFile[]) => void;
  archive: File | undefined;
  onArchive: (file: File | undefined) => void;
}

/** The files that a task begins with: typed, dropped, chosen, or in an archive. */
export function FileFields({ files, onChange, archive, onArchive }: Props) {
  const [over, setOver] = useState(false);
  const [error, setError] = useState<Error>();
  const chosen = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (dropped: Promise<Dropped>) =>
    dropped.then(
      ({ files: more, archive }) => {
        setError(undefined);
        if (archive) onArchive(archive);
        const fresh = new Set(more.map((file) => file.path));
        if (more.length) onChange([...files.filter((file) => !fresh.has(file.path)), ...more]);
      },
      (cause: unknown) => setError(new Error(`These files can't be read: ${String(cause)}`)),
    );
  const set = (index: number, part: Partial<DraftFile>) =>
    onChange(files.map((file, at) => (at === index ? { ...file, ...part } : file)));
  return (
    <section
      aria-label="Files"
      className={`panel ${over ? "outline-2 outline-accent" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(fromDrop(event.dataTransfer.items));
      }}
    >
      <header className="flex flex-wrap items-center gap-1.5 px-3 py-2">
        <h2 className="flex-1 font-medium">
          Files <span className="font-normal text-soft">drop files, a folder or an archive here</span>
        </h2>
        <Button onClick={() => onChange([...files, { path: "", content: "", isTest: false }])}>
          <FilePlus2 className="size-4" aria-hidden /> Type one
        </Button>
        <Button onClick={() => chosen.current?.click()}>
          <Upload className="size-4" aria-hidden /> Choose
        </Button>
        <Button onClick={() => folder.current?.click()}>
          <FolderUp className="size-4" aria-hidden /> Folder
        </Button>
        <input ref={chosen} type="file" multiple hidden aria-label="Choose files" onChange={(event) => void take(fromList([...(event.target.files ?? [])]))} />
        <input
          ref={folder}
          type="file"
          hidden
          aria-label="Choose a folder"
          {...{ webkitdirectory: "" }}
          onChange={(event) => void take(fromList([...(event.target.files ?? [])]))}
        />
      </header>
      {error && <Failure error={error} />}
      {archive && (
        <p className="flex items-center gap-2 border-t border-line px-3 py-2">
          <span className="foreign flex-1">
            {archive.name} <span className="text-soft">{bytes(archive.size)}; it takes the place of the files below</span>
          </span>
          <Button look="quiet" onClick={() => onArchive(undefined)}>
            Leave it out
          </Button>
        </p>
      )}
      {files.map((file, index) => (
        <FileField key={index} file={file} onChange={(part) => set(index, part)} onRemove={() => onChange(files.filter((_, at) => at !== index))} />
      ))}
    </section>
  );
}

interface FieldProps {
  file: DraftFile;
  onChange: (part: Partial<DraftFile>) => void;
  onRemove: () => void;
}

function FileField({ file, onChange, onRemove }: FieldProps) {
  const name = file.path || "new file";
  return (
    <div className="border-t border-line p-3">
      <div className="flex flex-wrap items-center gap-2">
        <input
          required
          aria-label="Path"
          placeholder="folder/name.py"
          className="field flex-1 font-mono text-xs"
          value={file.path}
          onChange={(event) => onChange({ path: event.target.value, isTest: looksLikeTest(event.target.value) })}
        />
        <label className="flex items-center gap-1.5" title="The result must pass it, and no step may change it">
          <input type="checkbox" checked={file.isTest} onChange={(event) => onChange({ isTest: event.target.checked })} /> test
        </label>
        <Button look="quiet" aria-label={`Remove ${name}`} onClick={onRemove}>
          <Trash2 className="size-4" aria-hidden />
        </Button>
      </div>
      {file.base64 === undefined ? (
        <textarea
          aria-label={`Content of ${name}`}
          rows={Math.min(14, Math.max(3, (file.content ?? "").split("\n").length))}
          spellCheck={false}
          className="field mt-2 w-full font-mono text-xs leading-5"
          value={file.content}
          onChange={(event) => onChange({ content: event.target.value })}
        />
      ) : (
        <p className="mt-1 text-xs text-soft">binary, {bytes((file.base64.length * 3) / 4)}</p>
      )}
    </div>
  );
}
