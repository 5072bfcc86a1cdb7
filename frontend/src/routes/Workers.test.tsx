import { screen, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";
import { tasks } from "../mock/data";
import { loggedInAs, mockedHost, sent, show } from "../test-page";
import { Workers } from "./Workers";

const server = mockedHost();
const open = () => show("/workers", "/workers", <Workers />);

test("a worker says what it holds and when it was heard from", async () => {
  open();
  const worker = within(await screen.findByRole("region", { name: "mock-1" }));
  expect(await worker.findByText(/fizz/)).toBeTruthy();
  expect(worker.getByText(/of 4 tasks/)).toBeTruthy();
  expect(worker.getByText(/heard from/).textContent).toMatch(/\d s ago/);
  expect(worker.getByText(/process 4711, version mock, up for 1 h 30 min/)).toBeTruthy();
});

test("that nobody works is said, with what to do", async () => {
  server.use(http.get("*/api/v1/workers", () => HttpResponse.json({ workers: [] })));
  open();
  expect(await screen.findByText("No worker is polling")).toBeTruthy();
  expect(await screen.findByRole("region", { name: "Between two workers" })).toBeTruthy();
});

test("a queue is paused, and another resumed", async () => {
  const answer = () => HttpResponse.json({ name: "", paused: true });
  const paused = sent("post", "*/api/v1/queues/default/pause", answer);
  const resumed = sent("post", "*/api/v1/queues/nightly/resume", answer, paused.taken);
  server.use(paused.handler, resumed.handler);
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Pause default" }));
  await screen.findByText("default is paused");
  await userEvent.click(await screen.findByRole("button", { name: "Resume nightly" }));
  await screen.findByText("nightly is at work again");
  expect(paused.taken.map((call) => (call as string[])[0])).toEqual(["/api/v1/queues/default/pause", "/api/v1/queues/nightly/resume"]);
});

test("a dead letter says why, and goes back into its queue; so do all", async () => {
  const dead = tasks.find((task) => task.outcome?.reason.kind === "crashed")!;
  const one = sent("post", `*/api/v1/tasks/${dead.id}/requeue`, () => HttpResponse.json({ state: "queued" }, { status: 202 }));
  const all = sent("post", "*/api/v1/tasks/bulk/requeue", () => HttpResponse.json({ matched: 5, done: 5, refused: [] }));
  server.use(one.handler, all.handler);
  open();
  const letters = within(await screen.findByRole("region", { name: "Dead letters" }));
  expect(await letters.findByText(/the worker mock-2 was killed/)).toBeTruthy();
  await userEvent.click(letters.getByRole("button", { name: `Retry ${dead.id.slice(-6)}` }));
  await screen.findByText("Back in its queue");
  await userEvent.click(letters.getByRole("button", { name: /^Retry all/ }));
  await userEvent.click(await screen.findByRole("button", { name: `Retry ${tasks.length} tasks` }));
  await screen.findByText("5 tasks back in their queues");
  expect(all.taken).toEqual([["/api/v1/tasks/bulk/requeue", { filter: { dead: true }, expect: tasks.length }]]);
});

test("a submitter may retry, and not pause", async () => {
  server.use(loggedInAs("submitter"));
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Pause default" }));
  expect(await screen.findByText("It takes an administrator; you are a submitter.")).toBeTruthy();
  expect((await screen.findByRole("button", { name: /^Retry all/ })).getAttribute("aria-disabled")).toBeNull();
});
