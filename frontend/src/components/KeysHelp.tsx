import { Dialog } from "./Dialog";

const KEYS = [
  ["?", "this list"],
  ["⌘K / Ctrl-K", "go anywhere"],
  ["/", "search the tasks or the log"],
  ["n", "new task"],
  ["j / k", "next / previous task of the list"],
  ["Enter", "open it"],
  ["x", "select it"],
  ["g t", "tasks"],
  ["g p", "plugins"],
  ["g w", "workers and queue"],
  ["g o", "overview"],
  ["g a", "audit log, for administrators"],
  ["1 … 6", "a task's tabs"],
];

export function KeysHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="Keys" open={open} onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5">
        {KEYS.map(([key, does]) => (
          <div key={key} className="contents">
            <dt>
              <kbd className="rounded border border-line bg-sunken px-1.5 py-0.5 text-xs">{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
