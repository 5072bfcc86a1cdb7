import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
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
