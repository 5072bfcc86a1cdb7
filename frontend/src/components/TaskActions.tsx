import { useState, type ReactNode } from "react";
import { Ban, FileArchive, FileDiff, Play, RotateCcw, Trash2 } from "lucide-react";
import { useNavigate } from "react-router";
import type { Task } from "../api/client";
import { useCancel, useDelete, useRequeue } from "../api/mutations";
import { useMay } from "../hooks/useMay";
import { patchUrl } from "../task/patch";
import { keptRound, resultOf, spentOf } from "../task/rounds";
import { Button, buttonLook } from "./Button";
import { Dialog } from "./Dialog";

/** What can be done with a task. */
export function TaskActions({ task, onAgain }: { task: Task; onAgain: () => void }) {
  const { id, state, outcome } = task;
  const [cancel, requeue] = [useCancel(), useRequeue()];
  const [deleting, setDeleting] = useState(false);
  const may = useMay().why("submitter");
  const ended = state === "ended";
  const spent = spentOf(task);
  return (
    <div className="flex flex-wrap gap-1.5">
      <Download href={patchUrl(id)} name={`${id}.patch`} none={(keptRound(task)?.tree ?? task.spec.tree) === task.spec.tree && "Nothing was changed"}>
        <FileDiff className="size-4" aria-hidden /> Download patch
      </Download>
      <Download href={`/api/v1/tasks/${id}/archive`} title={`All files of ${resultOf(task)}, as .tar.gz`}>
        <FileArchive className="size-4" aria-hidden /> Download files
      </Download>
      {ended && outcome?.reason.kind !== "green" && (
        <Button
          refused={may ?? (spent && `Its ${spent === "rounds" ? "rounds are" : "budget is"} spent: it would end at once. Run it again with more.`)}
          disabled={requeue.isPending}
          onClick={() => requeue.mutate(id)}
          title="The same task goes on with its next step; it keeps its rounds and what it has spent (requeue)"
        >
          <Play className="size-4" aria-hidden /> Retry
        </Button>
      )}
      <Button refused={may} onClick={onAgain} title="A new task from the same files, with changes if you like (again)">
        <RotateCcw className="size-4" aria-hidden /> Run again…
      </Button>
      {ended ? (
        <Button look="bad" refused={may} onClick={() => setDeleting(true)}>
          <Trash2 className="size-4" aria-hidden /> Delete…
        </Button>
      ) : (
        <Button look="bad" refused={may} disabled={task.cancel || cancel.isPending} onClick={() => cancel.mutate(id)}>
          <Ban className="size-4" aria-hidden /> {task.cancel ? "Cancelling…" : "Cancel"}
        </Button>
      )}
      {deleting && <DeleteDialog id={id} onClose={() => setDeleting(false)} />}
    </div>
  );
}

interface DownloadProps {
  href: string;
  name?: string;
  title?: string;
  /** Why there is nothing to download. */
  none?: string | false;
  children: ReactNode;
}

export function Download({ href, name = "", title, none, children }: DownloadProps) {
  if (none) return <Button refused={none}>{children}</Button>;
  return (
    <a className={buttonLook()} href={href} download={name} title={title}>
      {children}
    </a>
  );
}

function DeleteDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const remove = useDelete();
  const navigate = useNavigate();
  return (
    <Dialog open title="Delete this task" onClose={onClose}>
      <p>Its goal, files, log, reports and attempts are deleted for good. Tasks that ran it again stay.</p>
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onClose}>Leave it</Button>
        <Button look="bad" disabled={remove.isPending} onClick={() => remove.mutate(id, { onSuccess: () => void navigate("/") })}>
          Delete it
        </Button>
      </div>
    </Dialog>
  );
}
