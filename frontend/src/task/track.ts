import type { Story } from "./story";

/** A stretch of the timeline, in parts of its whole. */
export interface Bar {
  /** Index in `story.steps`. */
  step: number;
  /** Index in the step's calls; absent for the step itself. */
  call?: number;
  left: number;
  width: number;
}

export interface Fold {
  left: number;
  /** What was left out, in ms. */
  ms: number;
}

export interface Track {
  bars: Bar[];
  folds: Fold[];
  /** What is drawn, in ms. */
  total: number;
}

/** Idle time longer than this part of the work is folded. */
const FOLD_PART = 0.15;
/** What a fold takes of the work's length. */
const FOLD_SHOWN = 0.03;

/** Where each step and model call lies; waits between steps are folded to a notch. */
export function track(story: Story, now: number): Track {
  const ends = story.steps.map((step) => step.to ?? Math.max(now, step.from));
  const work = story.steps.reduce((sum, step, at) => sum + ends[at]! - step.from, 0);
  const bars: { step: number; call?: number; from: number; to: number }[] = [];
  const folds: { at: number; ms: number }[] = [];
  let shown = 0;
  story.steps.forEach((step, at) => {
    const before = ends[at - 1];
    const gap = before === undefined ? 0 : Math.max(0, step.from - before);
    if (gap > work * FOLD_PART && gap > 1000) {
      folds.push({ at: shown, ms: gap });
      shown += work * FOLD_SHOWN;
    } else shown += gap;
    const to = shown + ends[at]! - step.from;
    bars.push({ step: at, from: shown, to });
    step.calls.forEach((call, index) => {
      const from = shown + Math.max(0, call.from - step.from);
      bars.push({ step: at, call: index, from, to: Math.min(to, from + ((call.to ?? now) - call.from)) });
    });
    shown = to;
  });
  const total = Math.max(1, shown);
  return {
    bars: bars.map(({ from, to, ...bar }) => ({ ...bar, left: from / total, width: Math.max(0, to - from) / total })),
    folds: folds.map(({ at, ms }) => ({ left: at / total, ms })),
    total,
  };
}

/** What stands too close together to be told apart is drawn once, so that thousands of steps draw as quickly as ten. */
export function drawn(bars: Bar[], places: number, isBad: (bar: Bar) => boolean): Bar[] {
  const taken = new Map<string, Bar>();
  for (const bar of bars) {
    const place = `${bar.call === undefined ? "step" : "call"} ${Math.floor(bar.left * places)}`;
    const there = taken.get(place);
    if (!there || (bar.width >= 1 / places && bar.width > there.width) || (isBad(bar) && !isBad(there))) taken.set(place, bar);
  }
  return [...taken.values()];
}
