import { useEffect, useRef, useState, type ChangeEvent } from "react";
import { FilePlus2, FolderUp, Trash2, Upload } from "lucide-react";
import { bytes, count, plural } from "../format";
import type { DraftFile } from "../hooks/useDraft";
import { fromDrop, fromList, looksLikeTest, type Dropped } from "../task/files";
import { Button } from "./Button";
import { Failure } from "./Notice";

interface Props {
  files: DraftFile[];
  onChange: (files: DraftFile[]) => void;
  archive: File | undefined;
  onArchive: (file: File | undefined) => void;
  /** The paths in the archive that look like tests, once it has been read. */
  onTests: (paths: string[]) => void;
  limits: { files: number; tree_bytes: number } | undefined;
}

/** The files that a task begins with: typed, dropped, chosen, or in an archive. */
export function FileFields({ files, onChange, archive, onArchive, onTests, limits }: Props) {
  const [held, setHeld] = useState<number>();
  const [hovered, setHovered] = useState(false);
  const [error, setError] = useState<Error>();
  const chosen = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  // Reading takes a while, in which the archive may be left out, or another chosen.
  const wanted = useRef(archive);
  useEffect(() => {
    wanted.current = archive;
    return () => {
      wanted.current = undefined;
    };
  }, [archive]);
  // Reading takes a while, in which more may be typed or dropped.
  const latest = useRef(files);
  useEffect(() => {
    latest.current = files;
  }, [files]);
  const unpack = async (chosen: File) => {
    wanted.current = chosen;
    setHeld(undefined);
    onArchive(chosen);
    const names = await import("../task/archive").then(({ namesIn }) => namesIn(chosen)).catch(() => []);
    if (wanted.current !== chosen) return;
    if (names.length === 0) {
      onArchive(undefined);
      setError(new Error(`${chosen.name} can't be read: it is no .tar.gz, .tar or .zip, or holds no file.`));
      return;
    }
    setHeld(names.length);
    onTests(names.filter(looksLikeTest));
  };
  const take = (dropped: Promise<Dropped>) =>
    dropped.then(
      ({ files: more, archive }) => {
        setError(undefined);
        if (archive) void unpack(archive);
        const fresh = new Set(more.map((file) => file.path));
        if (more.length) onChange([...latest.current.filter((file) => !fresh.has(file.path)), ...more]);
      },
      (cause: unknown) => setError(new Error(`These files can't be read: ${String(cause)}`)),
    );
  const takeChosen = ({ target }: ChangeEvent<HTMLInputElement>) => {
    void take(fromList([...(target.files ?? [])]));
    // The same may be chosen once more.
    target.value = "";
  };
  const size = files.reduce((sum, file) => sum + sizeOf(file), 0);
  const over = !limits
    ? undefined
    : files.length > limits.files
      ? `${count(files.length)} files; this host takes ${count(limits.files)}.`
      : size > limits.tree_bytes
        ? `${bytes(size)} in all; this host takes ${bytes(limits.tree_bytes)}.`
        : undefined;
  const set = (index: number, part: Partial<DraftFile>) =>
    onChange(files.map((file, at) => (at === index ? { ...file, ...part } : file)));
  return (
    <section
      aria-label="Files"
      className={`panel ${hovered ? "outline-2 outline-accent" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setHovered(true);
      }}
      onDragLeave={() => setHovered(false)}
      onDrop={(event) => {
        event.preventDefault();
        setHovered(false);
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
        <input ref={chosen} type="file" multiple hidden aria-label="Choose files" onChange={takeChosen} />
        <input
          ref={folder}
          type="file"
          hidden
          aria-label="Choose a folder"
          {...{ webkitdirectory: "" }}
          onChange={takeChosen}
        />
      </header>
      {error && <Failure error={error} />}
      {over !== undefined && (
        <p role="alert" className="border-t border-line px-3 py-2 text-bad">
          {over}
        </p>
      )}
      {archive && (
        <p className="flex items-center gap-2 border-t border-line px-3 py-2">
          <span className="foreign flex-1">
            {archive.name}{" "}
            <span className="text-soft">
              {bytes(archive.size)}
              {held !== undefined && `, ${plural(held, "file")}`}
              {files.length > 0 && "; it takes the place of the files below"}
            </span>
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

/** About: what is no ASCII takes more bytes than this. */
const sizeOf = (file: DraftFile) => file.content?.length ?? ((file.base64?.length ?? 0) * 3) / 4;

interface FieldProps {
  file: DraftFile;
  onChange: (part: Partial<DraftFile>) => void;
  onRemove: () => void;
}

/** Characters; a browser's text field grows slow beyond. */
const EDITABLE = 200_000;

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
          onChange={({ target: { value } }) => {
            // A tick that somebody has set stays.
            const guessed = file.isTest === looksLikeTest(file.path);
            onChange({ path: value, isTest: guessed ? looksLikeTest(value) : file.isTest });
          }}
        />
        <label className="flex items-center gap-1.5" title="The result must pass it, and no step may change it">
          <input type="checkbox" checked={file.isTest} onChange={(event) => onChange({ isTest: event.target.checked })} /> test
        </label>
        <Button look="quiet" aria-label={`Remove ${name}`} onClick={onRemove}>
          <Trash2 className="size-4" aria-hidden />
        </Button>
      </div>
      {file.base64 === undefined && (file.content ?? "").length > EDITABLE ? (
        <p className="mt-1 text-xs text-soft">{bytes((file.content ?? "").length)} of text, too long to be edited here</p>
      ) : file.base64 === undefined ? (
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
