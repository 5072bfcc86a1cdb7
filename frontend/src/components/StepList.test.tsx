import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { TaskEvent } from "../api/client";
import { eventsOf, tasks } from "../mock/data";
import { Story } from "../task/story";
import { StepList } from "./StepList";

afterEach(cleanup);

test("after each event, the steps say what they say to whoever comes then", () => {
  const events = eventsOf(tasks.find((task) => task.outcome?.reason.kind === "green")!);
  const story = new Story();
  const list = (key: string) => (
    <StepList key={key} story={story} now={0} turns={story.turns} chosen={undefined} onLine={ignore} onAgain={ignore} />
  );
  const { container, rerender } = render(list("grown"));
  for (const event of late(events)) {
    story.tell(event);
    rerender(list("grown"));
    const grown = container.innerHTML;
    const fresh = render(list("fresh"));
    expect(grown).toBe(fresh.container.innerHTML);
    fresh.unmount();
  }
  expect(screen.getAllByText(/passed, \d failed/).length).toBeGreaterThan(1);
});

test("a call that was broken off is not being written any more, and an error is said once", () => {
  const at = { task: "T", at: 0 };
  const [begun, asked] = eventsOf(tasks.find((task) => task.state === "running")!).slice(-2);
  const story = new Story();
  const list = (said?: string) => <StepList story={story} now={0} turns={story.turns} chosen={undefined} said={said} onLine={ignore} />;
  for (const event of [begun!, asked!]) story.tell(event);
  const { rerender } = render(list());
  expect(screen.getByText(/writing…/)).toBeTruthy();
  story.tell({ ...at, id: 98, type: "step-ended", round: 2, kind: "fix", plugin: "fixer", compute_ms: 0, wall_ms: 0, error: "no way" });
  rerender(list("no way"));
  expect(screen.queryByText(/writing…|no way/)).toBeNull();
  expect(screen.getByText(/broken off/)).toBeTruthy();
});

test("a check's row leads to what it found, and a build's to the log", () => {
  const story = new Story();
  for (const event of eventsOf(tasks[1]!)) story.tell(event);
  const [onLine, onChecks] = [vi.fn(), vi.fn()];
  render(<StepList story={story} now={0} turns={story.turns} chosen={undefined} onLine={onLine} onChecks={onChecks} />);
  screen.getByRole("button", { name: /2 passed, 1 failed/ }).click();
  expect([onLine.mock.calls.length, onChecks.mock.calls.length]).toEqual([0, 1]);
  screen.getByRole("button", { name: /build/ }).click();
  expect(onLine).toHaveBeenCalledWith(3);
});

const ignore = () => undefined;

/** What a step has come to is told after its end, as by the host. */
function late(events: TaskEvent[]): TaskEvent[] {
  const order = [...events];
  for (const [at, event] of events.entries()) {
    const next = events[at + 1];
    if ((event.type === "proposed" || event.type === "checked") && next?.type === "step-ended") order.splice(at, 2, next, event);
  }
  return order.map((event, at) => ({ ...event, id: at + 1 }));
}
