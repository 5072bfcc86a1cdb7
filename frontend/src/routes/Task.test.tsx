import { act, cleanup, screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";
import { Attempts } from "../components/Attempts";
import { kept } from "../hooks/useDraft";
import { packed } from "../mock/archive";
import { tasks } from "../mock/data";
import { loggedInAs, mockedHost, sent, show } from "../test-page";
import { Task } from "./Task";

const server = mockedHost();
const open = (id: string, query = "") => show(`/tasks/${id}${query}`, "/tasks/:id", <Task />);
const named = (kind: string) => tasks.find((task) => task.outcome?.reason.kind === kind)!;
const [stopped, green, crashed, running] = [named("budget"), named("green"), named("crashed"), tasks.find((task) => task.state === "running")!];

test("a price that nobody knows is not shown as nothing", async () => {
  open(green.id);
  expect(await screen.findByText("price unknown")).toBeTruthy();
  expect(screen.getByRole("meter", { name: "Rounds" }).getAttribute("aria-valuetext")).toBe("2 of 4");
});

test.each([
  ["a task that ended without success", crashed.id, ["Retry", "Run again…", "Delete…"], ["Cancel"]],
  ["a green one", green.id, ["Run again…", "Delete…"], ["Retry", "Cancel"]],
  ["a running one", running.id, ["Run again…", "Cancel"], ["Retry", "Delete…"]],
])("%s offers what makes sense", async (_, id, there, missing) => {
  open(id);
  for (const name of there) expect(await screen.findByRole("button", { name })).toBeTruthy();
  for (const name of missing) expect(screen.queryByRole("button", { name })).toBeNull();
});

test("a task is retried, and deleted after a second word", async () => {
  const retried = sent("post", `*/api/v1/tasks/${crashed.id}/requeue`, () => HttpResponse.json({ state: "queued" }, { status: 202 }));
  const deleted = sent("delete", `*/api/v1/tasks/${crashed.id}`, () => new HttpResponse(null, { status: 204 }), retried.taken);
  server.use(retried.handler, deleted.handler);
  const where = open(crashed.id);
  await userEvent.click(await screen.findByRole("button", { name: "Retry" }));
  await screen.findByText("Back in its queue");
  await userEvent.click(screen.getByRole("button", { name: "Delete…" }));
  await userEvent.click(await screen.findByRole("button", { name: "Delete it" }));
  await waitFor(() => expect(where()).toBe("/"));
  expect(retried.taken).toHaveLength(2);
});

test("a task whose rounds are spent is run again with more of them", async () => {
  server.use(http.get("*/api/v1/pipelines", () => HttpResponse.json({ default: "default", pipelines: [stopped.spec.pipeline] })));
  open(stopped.id);
  const on = await screen.findByRole("button", { name: "Retry" });
  await waitFor(() => expect(on.getAttribute("aria-description")).toMatch(/^Its rounds are spent/));
  await userEvent.click(screen.getByRole("button", { name: "Run again…" }));
  const dialog = within(await screen.findByRole("dialog"));
  expect((dialog.getByLabelText("Rounds at most") as HTMLInputElement).value).toBe("8");
  expect(await dialog.findByText("the only one; more in aiagent.toml ([pipelines.NAME])")).toBeTruthy();
});

test("it is edited as a new task, with its files, tests and settings", async () => {
  const where = open(green.id);
  await userEvent.click(await screen.findByRole("button", { name: "Run again…" }));
  await userEvent.click(await screen.findByRole("button", { name: "Edit as new task" }));
  await waitFor(() => expect(where()).toBe("/submit"));
  expect(kept()).toMatchObject({ goal: green.spec.goal, pipeline: "default", source: "files", rounds: "4", tokens: "100000", minutes: "30" });
  expect(kept().files.map(({ path, isTest }) => [path, isTest])).toEqual([
    ["fizz.py", false],
    ["test_fizz.py", true],
  ]);
});

test("another pipeline brings its own number of rounds", async () => {
  open(green.id);
  await userEvent.click(await screen.findByRole("button", { name: "Run again…" }));
  const dialog = within(await screen.findByRole("dialog"));
  await dialog.findByRole("option", { name: "short" });
  const rounds = dialog.getByLabelText("Rounds at most") as HTMLInputElement;
  await userEvent.selectOptions(dialog.getByLabelText("Pipeline"), "short");
  expect(rounds.value).toBe("1");
  await userEvent.selectOptions(dialog.getByLabelText("Pipeline"), "default");
  expect(rounds.value).toBe("4");
});

test("it is run again from a round, with another model", async () => {
  const { handler, taken } = sent("post", `*/api/v1/tasks/${green.id}/again`, () =>
    HttpResponse.json({ id: "T2", url: "", events: "", notes: [] }, { status: 202 }),
  );
  server.use(handler);
  const where = open(green.id, "?tab=checks");
  await userEvent.click((await screen.findAllByRole("button", { name: "Run again from here" }))[1]!);
  const dialog = within(await screen.findByRole("dialog"));
  expect((dialog.getByLabelText("Begin with") as HTMLSelectElement).value).toBe("1");
  await dialog.findByRole("option", { name: "large" });
  await userEvent.selectOptions(dialog.getByLabelText("Model"), "large");
  await userEvent.click(dialog.getByRole("button", { name: "Run again" }));
  await waitFor(() => expect(where()).toBe("/tasks/T2"));
  expect(taken).toEqual([
    [`/api/v1/tasks/${green.id}/again`, { pipeline: "default", round: 1, budget: { rounds: 4 }, steps: { model: "large" } }],
  ]);
});

test("runs of the same goal are linked, and compared", async () => {
  const child = { ...tasks[0]!, id: "01JACH1LD00000000000000000" };
  server.use(
    http.get(`*/api/v1/tasks/${green.id}`, () => HttpResponse.json({ ...green, spec: { ...green.spec, parent: stopped.id } })),
    http.get("*/api/v1/tasks", ({ request }) => {
      const { summary } = { summary: { id: child.id, goal: "g", state: "queued", pipeline: "short", rounds: 0, cancel: false, spend: child.spend, budget: child.spec.budget, submitted_at: 0 } };
      return HttpResponse.json({ tasks: new URL(request.url).searchParams.get("parent") === green.id ? [summary] : [] });
    }),
  );
  const where = open(green.id);
  expect((await screen.findByRole("link", { name: stopped.id.slice(-6) })).getAttribute("href")).toBe(`/tasks/${stopped.id}`);
  expect((await screen.findByRole("link", { name: child.id.slice(-6) })).getAttribute("href")).toBe(`/tasks/${child.id}`);
  await userEvent.selectOptions(screen.getByLabelText("Compare with another run"), child.id);
  expect(where()).toBe(`/compare?left=${child.id}&right=${green.id}`);
});

test("the files of a tree are read out of its archive", async () => {
  const asked: string[] = [];
  server.use(
    http.get("*/api/v1/tasks/:id/archive", async ({ request }) => {
      asked.push(new URL(request.url).search);
      return HttpResponse.arrayBuffer(await packed({ "fizz.py": "def fizz(n): ...\n", "test_fizz.py": "<b>&\u202e\n", "logo.png": "\0\0" }));
    }),
  );
  open(green.id, "?tab=files");
  const list = within(await screen.findByRole("navigation", { name: "Files" }));
  expect(await screen.findByText(/def fizz/)).toBeTruthy();
  await userEvent.click(list.getByRole("button", { name: /test_fizz.py/ }));
  expect(await screen.findByText(/<b>&/)).toBeTruthy();
  expect(list.getByText("test")).toBeTruthy();
  await userEvent.click(list.getByRole("button", { name: /logo.png/ }));
  expect(await screen.findByText(/Binary, 2 B/)).toBeTruthy();
  await userEvent.selectOptions(screen.getByLabelText("Files of"), "1");
  await waitFor(() => expect(asked).toEqual(["", "?round=1"]));
});

test("a failing test's line is shown in the file, where the diff does not hold it; Back leads to the report", async () => {
  const where = open(stopped.id, "?tab=checks");
  await userEvent.click(await screen.findByRole("button", { name: "test_fizz.py:9" }));
  expect(await screen.findByRole("note", { name: "Line 9" })).toBeTruthy();
  expect(where()).toBe(`/tasks/${stopped.id}?tab=files&round=1&file=test_fizz.py&line=9`);
  act(where.back);
  expect(await screen.findByText(/2 passed, 1 failed/)).toBeTruthy();
});

test("while the model writes, nothing was asked is not the truth; a long answer is cut, and shown whole", async () => {
  const text = Array.from({ length: 134 }, (_, line) => `line ${line}`).join("\n");
  server.use(
    http.get("*/api/v1/tasks/:id/journal", () =>
      HttpResponse.json({ steps: [{ step: 0, entries: [{ index: 0, kind: "model", request: "ask", answer: JSON.stringify({ Ok: { text } }) }] }] }),
    ),
  );
  open(green.id, "?tab=attempts");
  await userEvent.click(await screen.findByRole("button", { name: "Show all 134 lines" }));
  expect(screen.getByText(/line 133/, { selector: "[aria-label=Answer]" })).toBeTruthy();
  cleanup();
  server.use(http.get("*/api/v1/tasks/:id/journal", () => HttpResponse.json({ steps: [] })));
  show("/", "/", <Attempts task={running} version="1" isWriting />);
  expect(await screen.findByText("The model is writing")).toBeTruthy();
});

test("prompts and raw answers are there", async () => {
  open(green.id, "?tab=attempts");
  expect(await screen.findByText("You write code.")).toBeTruthy();
  expect(screen.getByText(/def fizz\(n\): \.\.\./, { selector: "[aria-label=Answer]" })).toBeTruthy();
});

test("a viewer reads everything and changes nothing", async () => {
  server.use(loggedInAs("viewer"));
  open(running.id);
  const cancel = await screen.findByRole("button", { name: "Cancel" });
  await waitFor(() => expect(cancel.getAttribute("aria-disabled")).toBe("true"));
  await userEvent.click(cancel);
  expect(await screen.findByText("It takes a submitter; you are a viewer.")).toBeTruthy();
});

test("a task that is not there says so", async () => {
  open("01JAGONE");
  expect(await screen.findByText(/There is no task 01JAGONE/)).toBeTruthy();
});
