import { describe, expect, test } from "vitest";
import type { TaskEvent } from "../api/client";
import { Story } from "./story";
import { drawn, track } from "./track";

type Body = TaskEvent extends infer E ? (E extends TaskEvent ? Omit<E, "id" | "task" | "at"> : never) : never;

function told(...bodies: [number, Body][]): Story {
  const story = new Story();
  bodies.forEach(([at, body], index) => story.tell({ id: index + 1, task: "T", at, ...body } as TaskEvent));
  return story;
}

const started = (round: number, kind: string, plugin: string): Body => ({
  type: "step-started",
  round,
  kind,
  plugin,
  basis: null,
  replayed: 0,
});
const ended = (round: number, kind: string, plugin: string, wall_ms = 0): Body => ({
  type: "step-ended",
  round,
  kind,
  plugin,
  error: null,
  compute_ms: 1,
  wall_ms,
});

describe("a story", () => {
  test("takes each event once, however often it comes", () => {
    const story = new Story();
    const event = { id: 1, task: "T", at: 0, type: "submitted" } as TaskEvent;
    expect([story.tell(event), story.tell(event), story.lines.length]).toEqual([true, false, 1]);
  });

  test("puts tokens together, by call", () => {
    const story = told(
      [0, started(1, "build", "builder")],
      [1, { type: "model-started", round: 1, model: "m", call: 0 }],
      [2, { type: "tokens", call: 0, text: "def " }],
      [3, { type: "tokens", call: 0, text: "f" }],
    );
    expect(story.steps[0]?.calls[0]).toMatchObject({ text: "def f", model: "m" });
  });

  test("ends what a lost worker left open", () => {
    const story = told(
      [0, started(1, "build", "builder")],
      [5, { type: "requeued", why: "the worker was lost" }],
      [9, started(1, "build", "builder")],
    );
    expect(story.steps.map(({ to, error }) => [to, error])).toEqual([
      [5, "the worker was lost"],
      [undefined, undefined],
    ]);
  });

  test("numbers the lines of a message of several lines", () => {
    const story = told([0, { type: "log", level: "warn", source: "builder", message: "one\ntwo\n" }]);
    expect(story.lines.map(({ number, text }) => [number, text])).toEqual([
      [1, "one"],
      [2, "two"],
    ]);
  });

  test("knows how long steps took that were stored at once", () => {
    const story = told([1000, started(1, "build", "builder")], [1000, ended(1, "build", "builder", 400)]);
    expect(story.steps[0]).toMatchObject({ from: 600, to: 1000 });
  });
});

test("a long wait between two steps is folded", () => {
  const story = told(
    [0, started(1, "build", "builder")],
    [4000, ended(1, "build", "builder")],
    [100_000, started(1, "check", "check-python")],
    [101_000, ended(1, "check", "check-python")],
  );
  const { folds, bars, total } = track(story, 101_000);
  expect(folds.map((fold) => fold.ms)).toEqual([96_000]);
  expect(total).toBeLessThan(6_000);
  expect(bars.every((bar) => bar.left >= 0 && bar.left + bar.width <= 1.0001)).toBe(true);
});

test("thousands of steps are drawn as hundreds of bars, and no failure is among those left out", () => {
  const bodies = Array.from({ length: 5000 }, (_, n): [number, Body][] => [
    [n * 10, started(n, "build", "builder")],
    [n * 10 + 10, { ...ended(n, "build", "builder", 10), error: n === 2501 ? "a trap" : null } as Body],
  ]).flat();
  const story = told(...bodies);
  const { bars } = track(story, 50_000);
  const shown = drawn(bars, 600, (bar) => Boolean(story.steps[bar.step]?.error));
  expect(bars).toHaveLength(5000);
  expect(shown.length).toBeLessThanOrEqual(600);
  expect(shown.some((bar) => bar.step === 2501)).toBe(true);
});

test("tokens and log lines are no turn of the story", () => {
  const story = told(
    [0, started(1, "build", "builder")],
    [1, { type: "model-started", round: 1, model: "m", call: 0 }],
    [2, { type: "tokens", call: 0, text: "def " }],
    [3, { type: "log", level: "info", source: "builder", message: "one" }],
  );
  expect([story.version, story.turns, story.lastCall?.text]).toEqual([4, 2, "def "]);
});
