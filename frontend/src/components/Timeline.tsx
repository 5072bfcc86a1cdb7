import { memo, useCallback, useMemo, useRef, useState } from "react";
import { ZoomIn, ZoomOut } from "lucide-react";
import type { Task } from "../api/client";
import { duration } from "../format";
import { useNow } from "../hooks/useNow";
import { drawn, track, type Bar, type Track } from "../task/track";
import type { Step, Story } from "../task/story";
import { Button } from "./Button";
import { Empty } from "./Empty";
import { isBad, StepList } from "./StepList";

interface Props {
  story: Story;
  task: Task;
  /** Shows a line of the log. */
  onLine: (line: number) => void;
  /** Shows what the checks found. */
  onChecks: () => void;
  /** Runs the task again from what a step began with. */
  onAgain?: (step: Step) => void;
}

/** Bars that can be told apart across the pane, unzoomed. */
const PLACES = 600;
const ZOOM_MOST = 64;

/** Steps and model calls as bars over time, and as a list. */
export function Timeline({ story, task, onLine, onChecks, onAgain }: Props) {
  const now = useNow(!story.ended);
  const [zoom, setZoom] = useState(1);
  const [chosen, choose] = useState<number>();
  const pane = useRef<HTMLDivElement>(null);
  const { turns, steps } = story;
  // Tokens come many times a second; the bars move with the seconds, and when a step begins or ends.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const drawing = useMemo(() => track(story, now), [story, now, turns]);
  const pick = useCallback((step: number) => choose(step), []);
  const end = task.outcome?.reason;
  const said = end && "message" in end ? end.message : undefined;
  if (steps.length === 0) {
    return (
      <section className="panel" aria-label="Timeline">
        <Empty title={story.ended ? "No step was taken" : "No step yet"}>
          {task.state === "queued" && "It begins when a worker takes the task."}
        </Empty>
      </section>
    );
  }
  const scale = (next: number) => {
    const middle = pane.current && (pane.current.scrollLeft + pane.current.clientWidth / 2) / pane.current.scrollWidth;
    setZoom(next);
    requestAnimationFrame(() => {
      if (pane.current && middle) pane.current.scrollLeft = middle * pane.current.scrollWidth - pane.current.clientWidth / 2;
    });
  };
  return (
    <section className="panel min-w-0" aria-label="Timeline">
      <header className="flex items-center justify-between border-b border-line px-3 py-1.5">
        <h2 className="font-medium">
          Timeline <span className="font-normal text-soft">{duration(drawing.total)} of work</span>
        </h2>
        <div>
          <Button look="quiet" aria-label="Zoom out" disabled={zoom <= 1} onClick={() => scale(zoom / 2)}>
            <ZoomOut className="size-4" aria-hidden />
          </Button>
          <Button look="quiet" aria-label="Zoom in" disabled={zoom >= ZOOM_MOST} onClick={() => scale(zoom * 2)}>
            <ZoomIn className="size-4" aria-hidden />
          </Button>
        </div>
      </header>
      <div ref={pane} className="overflow-x-auto px-3 pt-3 pb-1" tabIndex={0} role="region" aria-label="Bars over time">
        <Bars story={story} drawing={drawing} zoom={zoom} chosen={chosen} onChoose={pick} />
        <Legend />
      </div>
      <StepList story={story} now={now} turns={turns} chosen={chosen} said={said} onLine={onLine} onChecks={onChecks} onAgain={onAgain} />
    </section>
  );
}

interface BarsProps {
  story: Story;
  drawing: Track;
  zoom: number;
  chosen: number | undefined;
  onChoose: (step: number) => void;
}

/** For the mouse; the list below says the same to everybody. */
const Bars = memo(function Bars({ story, drawing, zoom, chosen, onChoose }: BarsProps) {
  const { steps } = story;
  const bars = drawn(drawing.bars, PLACES * zoom, (bar) => isBad(steps[bar.step]!));
  return (
    <div className="relative h-9" style={{ width: `${zoom * 100}%` }}>
      {bars.map((bar) => (
        <button
          key={`${bar.step} ${bar.call ?? ""}`}
          type="button"
          tabIndex={-1}
          aria-hidden
          title={title(steps[bar.step]!, bar)}
          onClick={() => onChoose(bar.step)}
          className={`absolute rounded-sm ${bar.call === undefined ? `top-0 h-5 ${colour(steps[bar.step]!)}` : "top-6 h-2.5 bg-soft opacity-60"} ${bar.step === chosen ? "ring-2 ring-ink" : ""}`}
          style={{ left: `${bar.left * 100}%`, width: `max(2px, ${bar.width * 100}%)` }}
        />
      ))}
      {drawing.folds.map((fold) => (
        <span
          key={fold.left}
          title={`${duration(fold.ms)} idle, folded`}
          className="absolute top-0 h-5 border-l-2 border-dotted border-soft"
          style={{ left: `calc(${fold.left * 100}% + 2px)` }}
        />
      ))}
    </div>
  );
});

const MEANINGS = [
  ["h-2.5 bg-accent", "build or fix"],
  ["h-2.5 bg-good", "passed check"],
  ["h-2.5 bg-bad", "failed"],
  ["h-1.5 bg-soft opacity-60", "model call"],
] as const;

function Legend() {
  return (
    <p className="sticky left-0 mt-1 flex w-fit flex-wrap gap-x-3 text-xs text-soft">
      {MEANINGS.map(([look, meaning]) => (
        <span key={meaning} className="flex items-center gap-1">
          <span className={`w-2.5 rounded-sm ${look}`} aria-hidden /> {meaning}
        </span>
      ))}
    </p>
  );
}

function colour(step: Step) {
  if (step.to === undefined) return "bg-accent pulse";
  if (isBad(step)) return "bg-bad";
  return step.report ? "bg-good" : "bg-accent";
}

function title(step: Step, { call }: Bar) {
  if (call === undefined) return `${step.kind} with ${step.plugin}, round ${step.round}`;
  return `model ${step.calls[call]?.model}, call ${step.calls[call]?.call}`;
}
