import { useState } from "react";
import { Ban, Download, Play, RotateCcw, Trash2 } from "lucide-react";
import { useNavigate } from "react-router";
import type { Task } from "../api/client";
import { useCancel, useDelete, useRequeue } from "../api/mutations";
import { useMay } from "../hooks/useMay";
import { patchUrl } from "../task/patch";
import { Button, buttonLook } from "./Button";
import { Dialog } from "./Dialog";

/** What can be done with a task. */
export function TaskActions({ task, onAgain }: { task: Task; onAgain: () => void }) {
  const { id, state, outcome } = task;
  const [cancel, requeue] = [useCancel(), useRequeue()];
  const [deleting, setDeleting] = useState(false);
  const may = useMay().why("submitter");
  const ended = state === "ended";
  return (
    <div className="flex flex-wrap gap-1.5">
      <a className={buttonLook()} href={patchUrl(id)} download={`${id}.patch`} title="Download what changed">
        <Download className="size-4" aria-hidden /> Patch
      </a>
      <a className={buttonLook()} href={`/api/v1/tasks/${id}/archive`} download title="Download all files as .tar.gz">
        <Download className="size-4" aria-hidden /> Archive
      </a>
      {/* What spent its budget would end at once, the same way. */}
      {ended && outcome?.reason.kind !== "green" && outcome?.reason.kind !== "budget" && (
        <Button
          refused={may}
          disabled={requeue.isPending}
          onClick={() => requeue.mutate(id)}
          title="Goes on with the step that comes next; keeps its rounds and what it has spent"
        >
          <Play className="size-4" aria-hidden /> Retry
        </Button>
      )}
      <Button refused={may} onClick={onAgain} title="As a new task, with changes if you like">
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
