import { useState, type ReactNode } from "react";
import { Link } from "react-router";
import { toast } from "sonner";
import { ApiError, type BulkReply, type Deed } from "../api/client";
import { useBulk } from "../api/mutations";
import { count, plural } from "../format";
import { filterAt, type Wish } from "../task/filter";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Failure } from "./Notice";

interface Words {
  button: string;
  title: string;
  what: (n: string) => string;
  yes: (n: string) => string;
  done: string;
  look: "main" | "bad";
}

export const WORDS: Record<Deed, Words> = {
  cancel: {
    button: "Cancel",
    title: "Cancel tasks",
    what: (n) => `${n} will be cancelled. Those that have ended stay as they are.`,
    yes: (n) => `Cancel ${n}`,
    done: "cancelled",
    look: "bad",
  },
  requeue: {
    button: "Retry",
    title: "Retry tasks",
    what: (n) => `${n} will go on with the step that comes next, with the rounds and the spending they have. Green ones and those that have not ended stay as they are.`,
    yes: (n) => `Retry ${n}`,
    done: "back in their queues",
    look: "main",
  },
  again: {
    button: "Run again",
    title: "Run tasks again",
    what: (n) => `${n} will be submitted anew, each with the files, tests and pipeline of its first run.`,
    yes: (n) => `Run ${n} again`,
    done: "submitted again",
    look: "main",
  },
  delete: {
    button: "Delete",
    title: "Delete tasks",
    what: (n) => `${n} will be deleted for good, with files, logs and reports. Those that have not ended stay.`,
    yes: (n) => `Delete ${n}`,
    done: "deleted",
    look: "bad",
  },
};

interface AskProps {
  deed: Deed;
  /** `undefined`: all that are wished for. */
  ids: string[] | undefined;
  wish: Wish;
  number: number;
  onClose: () => void;
  onDone?: () => void;
  /** What else to know before. */
  children?: ReactNode;
}

/** Says how many tasks something is done to, before it is, and afterwards which of them stayed, and why. */
export function Ask({ deed, ids, wish, number: counted, onClose, onDone, children }: AskProps) {
  const words = WORDS[deed];
  const run = useBulk(deed);
  // What is agreed to does not change under the pointer.
  const [number] = useState(counted);
  // More than the user has seen match by now: then it is asked once more.
  const now = run.error instanceof ApiError && run.error.status === 409 ? Number(run.error.problem.count) : undefined;
  const expect = now || number;
  const named = plural(expect, "task");
  const send = () =>
    run.mutate(ids ? { ids } : { filter: filterAt(wish, Date.now()), expect }, {
      onSuccess: (reply) => {
        const rest = reply.matched - reply.done;
        toast(`${plural(reply.done, "task")} ${words.done}${rest ? `, ${count(rest)} stayed as they were` : ""}`);
        onDone?.();
        if (reply.refused.length === 0) onClose();
      },
    });
  if (run.data?.refused.length) return <Refusals reply={run.data} onClose={onClose} />;
  return (
    <Dialog open title={words.title} onClose={() => run.isPending || onClose()}>
      <p>{words.what(named)}</p>
      {children}
      {run.isError && <Failure error={run.error} />}
      <div className="mt-4 flex justify-end gap-2">
        <Button disabled={run.isPending} onClick={onClose}>
          Leave them
        </Button>
        <Button look={words.look} disabled={run.isPending} onClick={send}>
          {run.isPending ? "At it…" : words.yes(named)}
        </Button>
      </div>
    </Dialog>
  );
}

function Refusals({ reply, onClose }: { reply: BulkReply; onClose: () => void }) {
  const rest = reply.matched - reply.done;
  return (
    <Dialog open title={`${plural(rest, "task")} stayed`} onClose={onClose}>
      <ul className="space-y-1.5" tabIndex={0} aria-label="Why">
        {reply.refused.map(({ id, why }) => (
          <li key={id} className="foreign">
            <Link to={`/tasks/${id}`} className="font-mono text-accent underline" onClick={onClose}>
              {id.slice(-6)}
            </Link>{" "}
            {why}
          </li>
        ))}
      </ul>
      {rest > reply.refused.length && <p className="mt-2 text-soft">and {count(rest - reply.refused.length)} more</p>}
    </Dialog>
  );
}
