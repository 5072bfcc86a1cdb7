import { useRef, useState } from "react";
import { Upload } from "lucide-react";
import { ApiError } from "../api/client";
import { useUploadPlugin } from "../api/mutations";
import { bytes } from "../format";
import { useMay } from "../hooks/useMay";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Failure } from "./Notice";

/** Adds a plugin, or another version of one, where the operator lets the page do that. */
export function PluginUpload({ files }: { files: string[] }) {
  const { whyNotPlugins } = useMay();
  const [file, setFile] = useState<File>();
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button refused={whyNotPlugins} onClick={() => field.current?.click()}>
        <Upload className="size-4" aria-hidden /> Upload a plugin
      </Button>
      <input
        ref={field}
        type="file"
        hidden
        accept=".wasm"
        aria-label="A plugin's .wasm file"
        onChange={(event) => {
          setFile(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      {file && <UploadDialog key={file.name} file={file} known={files.some((one) => one.split("/").at(-1) === file.name)} onClose={() => setFile(undefined)} />}
    </>
  );
}

function UploadDialog({ file, known, onClose }: { file: File; known: boolean; onClose: () => void }) {
  const upload = useUploadPlugin();
  const there = known || (upload.error instanceof ApiError && upload.error.status === 409);
  return (
    <Dialog open title={there ? "Replace a plugin" : "Add a plugin"} onClose={onClose}>
      <p className="foreign">
        <span className="font-medium">{file.name}</span> <span className="text-soft">{bytes(file.size)}</span>
      </p>
      <p className="mt-2">
        {there
          ? "A file of this name is there. New calls use the new one as soon as it is checked; calls that run end on the old one."
          : "It is checked, and served as soon as it is in the plugins folder. Its name there is what pipelines call it."}
      </p>
      {upload.isError && !(there && !known) && <Failure error={upload.error} />}
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onClose}>Leave it</Button>
        <Button look="main" disabled={upload.isPending} onClick={() => upload.mutate({ file, replace: there }, { onSuccess: onClose })}>
          {upload.isPending ? "Checking…" : there ? "Replace it" : "Add it"}
        </Button>
      </div>
    </Dialog>
  );
}
