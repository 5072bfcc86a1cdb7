import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { eventsOf, tasks } from "../mock/data";
import { Story } from "../task/story";
import { Writing } from "./Writing";

afterEach(cleanup);

test("where there is no word of an answer, the page says why", () => {
  const story = new Story();
  const shown = (title: string) => {
    render(<Writing story={story} />);
    expect(screen.getByText(title)).toBeTruthy();
    expect(screen.queryByRole("button")).toBeNull();
    cleanup();
  };
  shown("No model was asked yet");
  for (const event of eventsOf(tasks.find((task) => task.state === "running")!).slice(-2)) story.tell(event);
  shown("Waiting for the first word…");
  const { outcome, spend } = tasks.find((task) => task.outcome)!;
  story.tell({ id: 99, task: "T", at: 0, type: "ended", outcome: outcome!, spend });
  shown("No answer");
});
