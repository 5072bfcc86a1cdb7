import { useState } from "react";
import { ZoomIn, ZoomOut } from "lucide-react";
import type { Task } from "../api/client";
import { duration } from "../format";
import { useNow } from "../hooks/useNow";
import { track } from "../task/track";
import type { Step, Story } from "../task/story";
import { Button } from "./Button";
import { Empty } from "./Empty";
import { Time } from "./Time";

interface Props {
  story: Story;
  task: Task;
  /** Shows a line of the log. */
  onLine: (line: number) => void;
}

const STEPS_SHOWN = 60;

/** Steps and model calls as bars over time, and as a list. */
export function Timeline({ story, task, onLine }: Props) {
  const now = useNow(!story.ended);
  const [zoom, setZoom] = useState(1);
  const [all, setAll] = useState(false);
  if (story.steps.length === 0) {
    return (
      <section className="panel" aria-label="Timeline">
        <Empty title={story.ended ? "No step was taken" : "No step yet"}>
          {task.state === "queued" && "It begins when a worker takes the task."}
        </Empty>
      </section>
    );
  }
  const { bars, folds, total } = track(story, now);
  const hidden = all ? 0 : Math.max(0, story.steps.length - STEPS_SHOWN);
  return (
    <section className="panel min-w-0" aria-label="Timeline">
      <header className="flex items-center justify-between border-b border-line px-3 py-1.5">
        <h2 className="font-medium">
          Timeline <span className="font-normal text-soft">{duration(total)} of work</span>
        </h2>
        <div>
          <Button look="quiet" aria-label="Zoom out" disabled={zoom <= 1} onClick={() => setZoom(zoom / 2)}>
            <ZoomOut className="size-4" aria-hidden />
          </Button>
          <Button look="quiet" aria-label="Zoom in" disabled={zoom >= 32} onClick={() => setZoom(zoom * 2)}>
            <ZoomIn className="size-4" aria-hidden />
          </Button>
        </div>
      </header>
      <div className="overflow-x-auto px-3 pt-3 pb-1" tabIndex={0} role="region" aria-label="Bars over time">
        <div className="relative h-9" style={{ width: `${zoom * 100}%` }}>
          {bars.map((bar) => (
            <button
              key={`${bar.step} ${bar.call ?? ""}`}
              type="button"
              tabIndex={-1}
              aria-hidden
              title={title(story.steps[bar.step]!, bar.call)}
              onClick={() => onLine(story.steps[bar.step]!.line)}
              className={`absolute rounded-sm ${bar.call === undefined ? `top-0 h-5 ${colour(story.steps[bar.step]!)}` : "top-6 h-2.5 bg-soft opacity-60"}`}
              style={{ left: `${bar.left * 100}%`, width: `max(2px, ${bar.width * 100}%)` }}
            />
          ))}
          {folds.map((fold) => (
            <span
              key={fold.left}
              title={`${duration(fold.ms)} idle, folded`}
              className="absolute top-0 h-5 border-l-2 border-dotted border-soft"
              style={{ left: `calc(${fold.left * 100}% + 2px)` }}
            />
          ))}
        </div>
      </div>
      <ol className="divide-y divide-line border-t border-line">
        {hidden > 0 && (
          <li className="px-3 py-1.5">
            <button type="button" className="text-accent underline" onClick={() => setAll(true)}>
              {hidden} earlier steps
            </button>
          </li>
        )}
        {story.steps.slice(hidden).map((step) => (
          <li key={step.line}>
            <StepRow step={step} now={now} onLine={onLine} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function colour(step: Step) {
  if (step.to === undefined) return "bg-accent pulse";
  if (step.error || (step.report && step.report.verdict !== "passed")) return "bg-bad";
  return step.report ? "bg-good" : "bg-accent";
}

function title(step: Step, call: number | undefined) {
  if (call === undefined) return `${step.kind} with ${step.plugin}, round ${step.round}`;
  return `model ${step.calls[call]?.model}, call ${step.calls[call]?.call}`;
}

function StepRow({ step, now, onLine }: { step: Step; now: number; onLine: (line: number) => void }) {
  const { report } = step;
  return (
    <button
      type="button"
      onClick={() => onLine(step.line)}
      className="grid w-full grid-cols-[4.2rem_1fr_auto] gap-x-2 px-3 py-1.5 text-left hover:bg-sunken"
    >
      <span className="text-soft tabular-nums">round {step.round}</span>
      <span className="min-w-0">
        <span className="font-medium">{step.kind}</span> <code className="text-xs">{step.plugin}</code>
        {step.summary && <span className="foreign line-clamp-1 text-soft">{step.summary}</span>}
        {step.error && <span className="foreign line-clamp-2 text-bad">{step.error}</span>}
        {report && (
          <span className={`block ${report.verdict === "passed" ? "text-good" : "text-bad"}`}>
            {report.verdict}: {report.counts.passed} passed, {report.counts.failed} failed
          </span>
        )}
        {step.calls.map((call) => (
          <span key={call.call} className={`block text-xs ${call.error ? "text-bad" : "text-soft"}`}>
            {call.model}:{" "}
            {call.error ??
              (call.outputTokens === undefined
                ? "writing…"
                : `${call.estimated ? "about " : ""}${call.inputTokens} tokens in, ${call.outputTokens} out`)}
            {call.retries > 0 && `, ${call.retries} retries`}
          </span>
        ))}
      </span>
      <span className="text-right text-xs text-soft tabular-nums">
        {duration((step.to ?? Math.max(now, step.from)) - step.from)}
        <br />
        <Time at={step.from} />
      </span>
    </button>
  );
}
