import { ApiError } from "../api/client";
import { useRemovePlugin } from "../api/mutations";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Failure } from "./Notice";

interface Props {
  title: string;
  /** As the host names it, with its folder. */
  file: string;
  /** Whether calls can run on it, or on the version before. */
  runs: boolean;
  onClose: () => void;
}

/** Asks before a plugin's file is deleted. */
export function RemovePlugin({ title, file, runs, onClose }: Props) {
  const remove = useRemovePlugin();
  const name = file.split("/").at(-1)!;
  // A pipeline names it, and is broken without it: that takes a second word.
  const inUse = remove.error instanceof ApiError && remove.error.status === 409;
  return (
    <Dialog open title={title} onClose={onClose}>
      <p className="foreign">
        {name} is deleted from the plugins folder.{" "}
        {runs
          ? "Calls that run on it go on to their end; new ones fail until another takes its place."
          : "Nothing runs on it."}
      </p>
      {remove.isError && <Failure error={remove.error} />}
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onClose}>Leave it</Button>
        <Button
          look="bad"
          disabled={remove.isPending}
          onClick={() => remove.mutate({ file: name, force: inUse || undefined }, { onSuccess: onClose })}
        >
          {inUse ? "Remove it all the same" : "Remove it"}
        </Button>
      </div>
    </Dialog>
  );
}
