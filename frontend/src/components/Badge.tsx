import { Ban, Check, CircleDashed, LoaderCircle, X } from "lucide-react";
import type { Reason, TaskSummary } from "../api/client";
import { reason as tell } from "../format";

interface Props {
  state: TaskSummary["state"];
  reason?: Reason | null;
  cancel?: boolean;
}

/** How a task stands, in a word, a colour and a shape. */
export function Badge({ state, reason, cancel }: Props) {
  const look = "inline-flex items-center gap-1 rounded px-1.5 py-0.5 text-xs font-medium whitespace-nowrap max-w-full";
  const icon = "size-3.5 shrink-0";
  if (state === "queued") {
    return (
      <span className={`${look} bg-sunken text-soft`}>
        <CircleDashed className={icon} aria-hidden /> queued
      </span>
    );
  }
  if (state === "running") {
    return (
      <span className={`${look} bg-accent-wash text-accent`}>
        <LoaderCircle className={`${icon} motion-safe:animate-spin`} aria-hidden /> {cancel ? "cancelling" : "running"}
      </span>
    );
  }
  const { short, good } = reason ? tell(reason) : { short: "ended", good: false };
  if (reason?.kind === "cancelled") {
    return (
      <span className={`${look} bg-sunken text-soft`}>
        <Ban className={icon} aria-hidden /> cancelled
      </span>
    );
  }
  const [Icon, colours] = good ? [Check, "bg-good-wash text-good"] : [X, "bg-bad-wash text-bad"];
  return (
    <span className={`${look} ${colours}`}>
      <Icon className={icon} aria-hidden /> <span className="truncate">{short}</span>
    </span>
  );
}
