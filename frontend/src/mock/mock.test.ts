import { expect, test } from "vitest";
import { Story } from "../task/story";
import { eventsOf, tasks } from "./data";

test.each(tasks.map((task) => [task.state, task.outcome?.reason.kind, task] as const))(
  "the mock's %s task (%s) tells a story that fits it",
  (state, _, task) => {
    const story = new Story();
    for (const event of eventsOf(task)) story.tell(event);
    expect(story.ended).toBe(state === "ended");
    expect(story.steps.filter((step) => step.report)).toHaveLength(task.rounds.length);
    expect(story.steps.filter((step) => step.to === undefined)).toHaveLength(state === "running" ? 1 : 0);
  },
);
