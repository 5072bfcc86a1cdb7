import { screen, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";
import { tasks } from "../mock/data";
import { loggedInAs, mockedHost, sent, show } from "../test-page";
import { Tasks } from "./Tasks";

const stats = { queued: 0, running: 0, ended: 0, oldest_queued_at: null as number | null };
const server = mockedHost();
const none = http.get("*/api/v1/tasks", () => HttpResponse.json({ tasks: [] }));
const line = (tasks: object, queues: object[] = []) =>
  http.get("*/api/v1/queues", () => HttpResponse.json({ tasks: { ...stats, ...tasks }, queues }));
const open = (path = "/") => show(path, "/", <Tasks />);

test("an empty store says what a task is and how to submit one", async () => {
  server.use(none);
  open();
  expect(await screen.findByText("No task yet")).toBeTruthy();
  expect(screen.getByRole("link", { name: "Submit one, or try a sample" }).getAttribute("href")).toBe("/submit");
});

test("a filter that finds nothing can be cleared", async () => {
  server.use(none);
  const where = open("/?state=running&dead=true");
  await userEvent.click(await screen.findByRole("button", { name: "Clear the filters" }));
  expect(where()).toBe("/");
});

test("the URL is the filter, to the letter", async () => {
  const asked: string[] = [];
  server.use(
    http.get("*/api/v1/tasks", ({ request }) => {
      asked.push(new URL(request.url).search);
      return HttpResponse.json({ tasks: [] });
    }),
  );
  const where = open("/?outcome=stuck&pipeline=%3Cb%3E&plugin=gone&since=2026-11-30T08:00:00Z&parent=01J");
  await screen.findByText("No task is like that");
  expect(Object.fromEntries(new URLSearchParams(asked.at(-1)))).toEqual({
    outcome: "stuck",
    pipeline: "<b>",
    plugin: "gone",
    parent: "01J",
    since: String(Date.UTC(2026, 10, 30, 8)),
    limit: "50",
  });
  await userEvent.selectOptions(screen.getByLabelText("Any outcome"), "green");
  await userEvent.click(screen.getByLabelText("dead letters"));
  expect(where()).toContain("outcome=green");
  expect(where()).toContain("dead=true");
});

test("tasks that nobody takes are pointed out", async () => {
  server.use(line({ queued: 3, oldest_queued_at: Date.now() - 60_000 }));
  open();
  expect(await screen.findByText(/no worker has taken a task/)).toBeTruthy();
});

test("that no worker is polling is said at once", async () => {
  server.use(
    line({ queued: 3, oldest_queued_at: Date.now() }),
    http.get("*/api/v1/workers", () => HttpResponse.json({ workers: [] })),
  );
  open();
  expect(await screen.findByText(/no worker is polling/)).toBeTruthy();
});

test("a paused queue is named", async () => {
  const queues = [{ name: "nightly", paused: true, waiting: 7, delayed: 0, running: 0 }];
  server.use(line({}, queues));
  open();
  expect(await screen.findByText(/7 tasks waiting in what is paused: nightly/)).toBeTruthy();
});

test("a host without a builder says so", async () => {
  server.use(http.get("*/api/v1/plugins", () => HttpResponse.json({ generation: 1, loaded: [], refused: [], history: [] })));
  open();
  expect(await screen.findByText(/No builder is loaded/)).toBeTruthy();
});

test("a host that refuses says why, in its own words", async () => {
  server.use(http.get("*/api/v1/tasks", () => HttpResponse.json({ detail: "the store sleeps" }, { status: 503 })));
  open();
  expect(await screen.findByText(/the store sleeps/, {}, { timeout: 5000 })).toBeTruthy();
});

test("what is selected is acted on, and what stays says why", async () => {
  const refused = [{ id: tasks[0]!.id, why: "it has not ended" }];
  const { handler, taken } = sent("post", "*/api/v1/tasks/bulk/delete", () => HttpResponse.json({ matched: 2, done: 1, refused }));
  server.use(handler);
  open();
  await userEvent.click(await screen.findByLabelText(`Select ${tasks[0]!.id}`));
  await userEvent.click(screen.getByLabelText(`Select ${tasks[1]!.id}`));
  const bar = screen.getByRole("region", { name: "Selection" });
  expect(within(bar).getByRole("link", { name: "Compare" })).toBeTruthy();
  await userEvent.click(within(bar).getByRole("button", { name: "Delete" }));
  await userEvent.click(await screen.findByRole("button", { name: "Delete 2 tasks" }));
  expect(await screen.findByText(/it has not ended/)).toBeTruthy();
  expect(taken).toEqual([["/api/v1/tasks/bulk/delete", { ids: [tasks[0]!.id, tasks[1]!.id] }]]);
});

test("all that match are counted first, and asked for anew when they have become more", async () => {
  let answers = 0;
  const { handler, taken } = sent("post", "*/api/v1/tasks/bulk/cancel", () =>
    answers++ === 0
      ? HttpResponse.json({ detail: "1,500 tasks match by now", count: 1500 }, { status: 409 })
      : HttpResponse.json({ matched: 1500, done: 1500, refused: [] }),
  );
  server.use(handler, http.get("*/api/v1/tasks/count", () => HttpResponse.json({ count: 1234, exact: true })));
  open("/?pipeline=default");
  await userEvent.click(await screen.findByLabelText(`Select ${tasks[0]!.id}`));
  await userEvent.click(screen.getByRole("button", { name: "Select all that match" }));
  expect(await screen.findByText("1,234 tasks selected")).toBeTruthy();
  await userEvent.click(within(screen.getByRole("region", { name: "Selection" })).getByRole("button", { name: "Cancel" }));
  await userEvent.click(await screen.findByRole("button", { name: "Cancel 1,234 tasks" }));
  await userEvent.click(await screen.findByRole("button", { name: "Cancel 1,500 tasks" }));
  expect(await screen.findByText("1,500 tasks cancelled")).toBeTruthy();
  expect(taken.map((call) => (call as unknown[])[1])).toEqual([
    { filter: { pipeline: "default" }, expect: 1234 },
    { filter: { pipeline: "default" }, expect: 1500 },
  ]);
});

test("what all that match meant ends with the selection", async () => {
  server.use(http.get("*/api/v1/tasks/count", () => HttpResponse.json({ count: 1234, exact: true })));
  open();
  const [one, other] = tasks.map((task) => `Select ${task.id}`);
  await userEvent.click(await screen.findByLabelText(one!));
  await userEvent.click(screen.getByRole("button", { name: "Select all that match" }));
  expect(await screen.findByText("1,234 tasks selected")).toBeTruthy();
  await userEvent.click(screen.getByLabelText(one!));
  await userEvent.click(screen.getByLabelText(other!));
  expect(await screen.findByText("1 task selected")).toBeTruthy();
});

test("a viewer is told why not", async () => {
  server.use(loggedInAs("viewer"));
  open();
  await userEvent.click(await screen.findByLabelText(`Select ${tasks[0]!.id}`));
  const cancel = within(screen.getByRole("region", { name: "Selection" })).getByRole("button", { name: "Cancel" });
  expect(cancel.getAttribute("aria-disabled")).toBe("true");
  await userEvent.click(cancel);
  expect(await screen.findByText("It takes a submitter; you are a viewer.")).toBeTruthy();
  expect(screen.queryByRole("dialog")).toBeNull();
});
