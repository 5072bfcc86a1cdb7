import { memo, useEffect, useRef, useState } from "react";
import { RotateCcw } from "lucide-react";
import { count, duration, plural } from "../format";
import type { Call, Step, Story } from "../task/story";
import { Button } from "./Button";
import { Time } from "./Time";

export const isBad = (step: Step) => Boolean(step.error) || (step.report !== undefined && step.report.verdict !== "passed");

/** As many as are read at a time. */
const SHOWN = 60;

interface Props {
  story: Story;
  now: number;
  /** Of the story: what the list is drawn for. */
  turns: number;
  /** The step that is pointed at. */
  chosen: number | undefined;
  /** What the page says above of how it ended: no error of it is said twice. */
  said?: string;
  onLine: (line: number) => void;
  /** Shows what the checks found. */
  onChecks?: () => void;
  onAgain?: (step: Step) => void;
}

/** The steps in words, the last of them first in sight. */
export function StepList({ story, now, turns, chosen, said, onLine, onChecks, onAgain }: Props) {
  const [shown, setShown] = useState(SHOWN);
  const { steps } = story;
  const from = Math.max(0, Math.min(steps.length - shown, chosen ?? steps.length));
  return (
    <ol className="divide-y divide-line border-t border-line">
      {from > 0 && (
        <li className="px-3 py-1.5">
          <button type="button" className="text-accent underline" onClick={() => setShown(steps.length - from + 3 * SHOWN)}>
            {plural(from, "earlier step")}
          </button>
        </li>
      )}
      {steps.slice(from).map((step, index) => (
        <StepRow
          key={step.line}
          step={step}
          // A step that is over stays as it is.
          now={step.to ?? now}
          // The last step still changes, its report comes after its end; and it stays the same object.
          turns={from + index === steps.length - 1 ? turns : 0}
          chosen={from + index === chosen}
          said={said}
          onLine={onLine}
          onChecks={onChecks}
          onAgain={onAgain}
        />
      ))}
    </ol>
  );
}

/** How a call to the model went. */
function toldOf(call: Call, step: Step): string {
  // The step says the same.
  if (call.error) return call.error === step.error ? "failed" : call.error;
  if (call.outputTokens !== undefined) {
    return `${call.estimated ? "about " : ""}${count(call.inputTokens ?? 0)} tokens in, ${count(call.outputTokens)} out`;
  }
  return call.to === undefined ? "writing…" : "broken off";
}

interface RowProps {
  step: Step;
  said?: string;
  now: number;
  turns: number;
  chosen: boolean;
  onLine: (line: number) => void;
  onChecks?: () => void;
  onAgain?: (step: Step) => void;
}

const StepRow = memo(function StepRow({ step, said, now, chosen, onLine, onChecks, onAgain }: RowProps) {
  const { report } = step;
  const place = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (chosen) place.current?.scrollIntoView({ block: "center" });
  }, [chosen]);
  return (
    <li ref={place} aria-current={chosen || undefined} className={`flex items-start ${chosen ? "bg-accent-wash" : ""}`}>
      <button
        type="button"
        title={report && onChecks ? "What it found" : "Its lines of the log"}
        onClick={() => (report && onChecks ? onChecks() : onLine(step.line))}
        className="grid min-w-0 flex-1 grid-cols-[4.2rem_1fr_auto] gap-x-2 px-3 py-1.5 text-left hover:bg-sunken"
      >
        <span className="text-soft tabular-nums">round {step.round}</span>
        <span className="min-w-0">
          <span className="font-medium">{step.kind}</span> <code className="text-xs">{step.plugin}</code>
          {step.summary && <span className="foreign line-clamp-1 text-soft">{step.summary}</span>}
          {step.error && <span className="foreign line-clamp-2 text-bad">{said?.includes(step.error) ? "failed" : step.error}</span>}
          {report && (
            <span className={`block ${report.verdict === "passed" ? "text-good" : "text-bad"}`}>
              {report.verdict}: {report.counts.passed} passed, {report.counts.failed} failed
            </span>
          )}
          {step.calls.map((call) => (
            <span key={call.call} className={`foreign block text-xs ${call.error ? "text-bad" : "text-soft"}`}>
              {call.model}: {toldOf(call, step)}
              {call.retries > 0 && `, ${plural(call.retries, "retry", "retries")}`}
            </span>
          ))}
        </span>
        <span className="text-right text-xs text-soft tabular-nums">
          {duration(Math.max(0, now - step.from))}
          <br />
          <Time at={step.from} />
        </span>
      </button>
      {/* The place of the button, so that the times stand in line. */}
      <span className="w-9 shrink-0 p-0.5">
        {onAgain && step.kind !== "check" && (
          <Button
            look="quiet"
            className="!px-1.5"
            onClick={() => onAgain(step)}
            aria-label={`Run again from round ${step.round}'s ${step.kind}`}
            title="Run again from here…: a new task that begins with what this step began with"
          >
            <RotateCcw className="size-3.5" aria-hidden />
          </Button>
        )}
      </span>
    </li>
  );
});
