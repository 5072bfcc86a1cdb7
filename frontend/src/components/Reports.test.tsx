import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import type { Report, Round } from "../api/client";
import { tasks } from "../mock/data";
import { Reports } from "./Reports";

afterEach(cleanup);

const green = tasks.find((task) => task.outcome?.reason.kind === "green")!;
const draw = (...reports: Partial<Report>[]) => {
  const rounds = reports.map((report, index): Round => ({ ...green.rounds[index]!, report: { ...green.rounds[index]!.report!, ...report } }));
  render(<Reports rounds={rounds} best={rounds.length - 1} onPlace={() => undefined} />);
};

test("an output that repeats the counts is left out, and another is not", () => {
  draw({ output: "Traceback: …" }, { output: "3 passed, 0 failed, 0 skipped\n" });
  expect(screen.getAllByText("Output")).toHaveLength(1);
});

test("a round is the best when something of it passes", () => {
  draw({}, {});
  expect(screen.getByText("best").title).toMatch(/^Of all rounds/);
  cleanup();
  draw({ counts: { passed: 0, failed: 3, skipped: 0 } });
  expect(screen.queryByText("best")).toBeNull();
  cleanup();
  draw({ verdict: "broken" });
  expect(screen.queryByText("best")).toBeNull();
});
