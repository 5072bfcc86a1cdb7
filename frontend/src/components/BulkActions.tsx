import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { toast } from "sonner";
import { ApiError, type BulkReply, type Deed } from "../api/client";
import { useBulk } from "../api/mutations";
import { matching, type TaskFilter } from "../api/queries";
import { count, plural } from "../format";
import { useMay } from "../hooks/useMay";
import { Button, buttonLook } from "./Button";
import { Dialog } from "./Dialog";
import { Failure } from "./Notice";

interface Props {
  selected: ReadonlySet<string>;
  /** Whether there are more tasks than are shown. */
  more: boolean;
  filter: TaskFilter;
  onDone: () => void;
}

interface Words {
  button: string;
  title: string;
  what: (n: string) => string;
  yes: (n: string) => string;
  done: string;
  look: "main" | "bad";
}

const WORDS: Record<Deed, Words> = {
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

/** Acts on what is selected, after saying how many tasks that are. */
export function BulkActions({ selected, more, filter, onDone }: Props) {
  // Holds for one selection and one filter: another means what it shows.
  const [of, setOf] = useState<{ selected: ReadonlySet<string>; filter: TaskFilter }>();
  const every = of?.selected === selected && of.filter === filter;
  const [asked, setAsked] = useState<Deed>();
  const [left, setLeft] = useState<BulkReply>();
  const found = useQuery({ ...matching(filter), enabled: every });
  const why = useMay().why("submitter");
  if (selected.size === 0 && !left) return null;
  const number = every ? found.data?.count : selected.size;
  const named = number === undefined ? "…" : plural(number, "task");
  const pair = [...selected];
  return (
    <>
      {selected.size > 0 && (
        <div
          className="sticky bottom-2 z-20 flex flex-wrap items-center gap-1.5 rounded-md border border-line bg-accent-wash px-3 py-1.5 shadow-lg"
          role="region"
          aria-label="Selection"
        >
          <span className="font-medium" aria-live="polite">
            {every && found.data && !found.data.exact && "more than "}
            {named} selected
          </span>
          {!every && more && (
            <Button look="quiet" onClick={() => setOf({ selected, filter })}>
              Select all that match
            </Button>
          )}
          {(Object.keys(WORDS) as Deed[]).map((deed) => (
            <Button
              key={deed}
              look={WORDS[deed].look === "bad" ? "bad" : "plain"}
              refused={why}
              disabled={number === undefined}
              onClick={() => setAsked(deed)}
            >
              {WORDS[deed].button}
            </Button>
          ))}
          {pair.length === 2 && !every && (
            <Link to={`/compare?left=${pair[0]}&right=${pair[1]}`} className={buttonLook()}>
              Compare
            </Link>
          )}
          <Button look="quiet" onClick={onDone}>
            Clear selection
          </Button>
        </div>
      )}
      {asked && number !== undefined && (
        <Ask
          deed={asked}
          ids={every ? undefined : [...selected]}
          filter={filter}
          number={number}
          onClose={() => setAsked(undefined)}
          onDone={(reply) => {
            setAsked(undefined);
            if (reply.refused.length > 0) setLeft(reply);
            onDone();
          }}
        />
      )}
      {left && <Refusals reply={left} onClose={() => setLeft(undefined)} />}
    </>
  );
}

interface AskProps {
  deed: Deed;
  /** `undefined`: all that the filter finds. */
  ids: string[] | undefined;
  filter: TaskFilter;
  number: number;
  onClose: () => void;
  onDone: (reply: BulkReply) => void;
}

function Ask({ deed, ids, filter, number, onClose, onDone }: AskProps) {
  const words = WORDS[deed];
  const run = useBulk(deed);
  // More than the user has seen match by now: then it is asked once more.
  const now = run.error instanceof ApiError && run.error.status === 409 ? Number(run.error.problem.count) : undefined;
  const expect = now || number;
  const named = plural(expect, "task");
  const send = () =>
    run.mutate(ids ? { ids } : { filter, expect }, {
      onSuccess: (reply) => {
        const rest = reply.matched - reply.done;
        toast(`${plural(reply.done, "task")} ${words.done}${rest ? `, ${count(rest)} stayed as they were` : ""}`);
        onDone(reply);
      },
    });
  return (
    <Dialog open title={words.title} onClose={onClose}>
      <p>{words.what(named)}</p>
      {run.isError && <Failure error={run.error} />}
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onClose}>Leave them</Button>
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
