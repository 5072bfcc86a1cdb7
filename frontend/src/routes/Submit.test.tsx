import { act, cleanup, screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";
import { about } from "../mock/data";
import { loggedInAs, mockedHost, sent, show } from "../test-page";
import { Submit } from "./Submit";

const server = mockedHost();
const open = () => show("/submit", "/submit", <Submit />);
const accepted = () => HttpResponse.json({ id: "T1", url: "/api/v1/tasks/T1", events: "", notes: [] }, { status: 202 });
const goal = () => screen.findByLabelText("Goal");
const send = async () => userEvent.click(await screen.findByRole("button", { name: "Submit" }));

test("a sample is a goal with its tests, and is sent as it is", async () => {
  const { handler, taken } = sent("post", "*/api/v1/tasks", accepted);
  server.use(handler);
  const where = open();
  await screen.findByRole("option", { name: /^fizz: Write fizz.py/ });
  await userEvent.selectOptions(screen.getByLabelText("Begin with a sample"), "fizz");
  await userEvent.selectOptions(screen.getByLabelText("Pipeline"), "short");
  await userEvent.type(screen.getByLabelText("Money"), "0.5");
  await userEvent.type(screen.getByLabelText("Minutes"), "2");
  await userEvent.click(screen.getByText(/^More/));
  await userEvent.type(screen.getByLabelText(/Protected files/), "ci/**");
  await userEvent.selectOptions(screen.getByLabelText("Model"), "large");
  await userEvent.type(screen.getByLabelText(/Priority/), "9");
  await send();
  await waitFor(() => expect(where()).toBe("/tasks/T1"));
  expect(taken).toEqual([
    [
      "/api/v1/tasks",
      {
        goal: expect.stringContaining("fizz.py") as string,
        pipeline: "short",
        files: [{ path: "test_fizz.py", content: "from fizz import fizz\n" }],
        tests: ["test_fizz.py"],
        protected: ["ci/**"],
        steps: { model: "large" },
        budget: { cost: 0.5, wall_s: 120 },
        place: { priority: 9 },
      },
    ],
  ]);
});

test("the defaults are in sight", async () => {
  open();
  expect(await screen.findByText("default: 4")).toBeTruthy();
  expect(await screen.findByText("default: 100,000; 0: no limit")).toBeTruthy();
  expect(await screen.findByText("default: 30 min")).toBeTruthy();
  expect(await screen.findByText("builder → check-python → fixer")).toBeTruthy();
});

test("a draft outlives the page, and goes when it is submitted", async () => {
  server.use(sent("post", "*/api/v1/tasks", accepted).handler);
  open();
  await userEvent.type(await goal(), "Kept <b>");
  await waitFor(() => expect(JSON.parse(localStorage.getItem("draft")!)).toMatchObject({ goal: "Kept <b>" }));
  cleanup();
  open();
  expect(((await goal()) as HTMLTextAreaElement).value).toBe("Kept <b>");
  await send();
  await waitFor(() => expect(JSON.parse(localStorage.getItem("draft")!)).toMatchObject({ goal: "" }));
});

test("an archive says what it holds, and its tests are found", async () => {
  const form: unknown[] = [];
  server.use(
    http.post("*/api/v1/tasks", async ({ request }) => {
      form.push(request.headers.get("content-type")?.split(";")[0]);
      return accepted();
    }),
  );
  const where = open();
  await userEvent.type(await goal(), "Go");
  await userEvent.upload(screen.getByLabelText("Choose files"), new File([tar("p/a.py", "p/test_a.py")], "p.tar"));
  expect(await screen.findByText(/2 files/)).toBeTruthy();
  expect((screen.getByLabelText(/^Tests/) as HTMLTextAreaElement).value).toBe("test_a.py");
  expect(screen.getByLabelText("curl command").textContent).toContain("-F 'archive=@p.tar'");
  await send();
  await waitFor(() => expect(where()).toBe("/tasks/T1"));
  expect(form).toEqual(["multipart/form-data"]);
});

test("an archive that was left out while it was read stays out", async () => {
  const { handler, taken } = sent("post", "*/api/v1/tasks", accepted);
  server.use(handler);
  open();
  await userEvent.type(await goal(), "Go");
  let read: (bytes: ArrayBuffer) => void = () => undefined;
  const reading = new Promise<ArrayBuffer>((done) => (read = done));
  const slow = Object.assign(new File([], "slow.tar"), { arrayBuffer: () => reading });
  await userEvent.upload(screen.getByLabelText("Choose files"), slow);
  await userEvent.click(await screen.findByRole("button", { name: "Leave it out" }));
  await act(async () => read(tar("test_a.py").buffer));
  expect(screen.queryByText(/slow.tar/)).toBeNull();
  await send();
  await waitFor(() => expect(taken).toEqual([["/api/v1/tasks", { goal: "Go", files: [] }]]));
});

test.each(["no.tar", "no.tgz", "no.zip"])("%s, which is no archive, is not sent", async (name) => {
  open();
  await userEvent.upload(await screen.findByLabelText("Choose files"), new File(["no"], name));
  expect(await screen.findByText(new RegExp(`${name} can't be read`))).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Leave it out" })).toBeNull();
});

test("files and folders that are dropped become files; tests among them are marked", async () => {
  open();
  const entry = (path: string, text: string) => ({
    isFile: true,
    fullPath: `/${path}`,
    file: (take: (file: File) => void) => take(new File([text], path.split("/").at(-1)!)),
  });
  const folder = (entries: object[]) => ({
    isFile: false,
    fullPath: "/pkg",
    createReader: () => ({ readEntries: (take: (batch: object[]) => void) => take(entries.splice(0)) }),
  });
  const items = [entry("a.py", "x"), folder([entry("pkg/test_b.py", "y"), { ...folder([entry("pkg/.git/config", "")]), name: ".git" }])];
  const drop = Object.assign(new Event("drop", { bubbles: true, cancelable: true }), {
    dataTransfer: { items: items.map((entry) => ({ webkitGetAsEntry: () => entry })) },
  });
  screen.getByRole("region", { name: "Files" }).dispatchEvent(drop);
  await waitFor(() =>
    expect(screen.getAllByLabelText("Path").map((field) => (field as HTMLInputElement).value)).toEqual(["a.py", "pkg/test_b.py"]),
  );
  expect(screen.getAllByLabelText("test").map((box) => (box as HTMLInputElement).checked)).toEqual([false, true]);
});

test("a repository can be taken where the operator allows it, and nowhere else", async () => {
  open();
  await goal();
  expect(screen.queryByLabelText("A git repository")).toBeNull();
  cleanup();

  const { handler, taken } = sent("post", "*/api/v1/tasks", accepted);
  server.use(handler, http.get("*/api/v1/about", () => HttpResponse.json({ ...about, git_dirs: ["/srv/git"] })));
  open();
  await userEvent.type(await goal(), "Go");
  await userEvent.click(await screen.findByLabelText("A git repository"));
  const repository = within(screen.getByRole("region", { name: "Repository" }));
  await userEvent.type(repository.getByLabelText("Path"), "/srv/git/p");
  await userEvent.type(repository.getByLabelText("Revision"), "main");
  await send();
  await waitFor(() => expect(taken).toEqual([["/api/v1/tasks", { goal: "Go", git: { path: "/srv/git/p", revision: "main" } }]]));
});

test("a browser without room keeps what it can, and says once what a reload would lose", async () => {
  const rooms = [(text: string) => !text.includes("content"), () => false];
  for (const [index, hasRoom] of rooms.entries()) {
    const store = vi.spyOn(Storage.prototype, "setItem").mockImplementation((_, text) => {
      if (!hasRoom(text)) throw new DOMException("full", "QuotaExceededError");
    });
    open();
    await userEvent.click(await screen.findByRole("button", { name: "Type one" }));
    await userEvent.type(await goal(), "Go on");
    const said = [/The files are too large for this browser to keep/, /has no room left to keep what you write/];
    expect(screen.getAllByText(said[index]!)).toHaveLength(1);
    expect(((await goal()) as HTMLTextAreaElement).value).toBe("Go on");
    store.mockRestore();
    cleanup();
  }
});

test("a repository elsewhere is named by its URL", async () => {
  const { handler, taken } = sent("post", "*/api/v1/tasks", accepted);
  const git_urls = ["https://git.example/team/"];
  server.use(handler, http.get("*/api/v1/about", () => HttpResponse.json({ ...about, git_urls })));
  open();
  await userEvent.type(await goal(), "Go");
  await userEvent.click(await screen.findByLabelText("A git repository"));
  const repository = within(screen.getByRole("region", { name: "Repository" }));
  expect(repository.getByText(/Under https:\/\/git\.example\/team\//)).toBeTruthy();
  const url = repository.getByLabelText("URL");
  expect(url.getAttribute("placeholder")).toBe("https://git.example/team/project");
  await userEvent.type(url, "https://git.example/team/p");
  await send();
  await waitFor(() => expect(taken).toEqual([["/api/v1/tasks", { goal: "Go", git: { url: "https://git.example/team/p" } }]]));
});

test("the host's own words say what is wrong, and nothing is lost", async () => {
  server.use(http.post("*/api/v1/tasks", () => HttpResponse.json({ detail: "the goal is blank" }, { status: 422 })));
  open();
  await userEvent.type(await goal(), "x");
  await send();
  expect(await screen.findByText(/the goal is blank/)).toBeTruthy();
  expect(((await goal()) as HTMLTextAreaElement).value).toBe("x");
});

test("a viewer can look, and is told why not more", async () => {
  const { handler, taken } = sent("post", "*/api/v1/tasks", accepted);
  server.use(loggedInAs("viewer"), handler);
  open();
  expect(await screen.findByText(/You can look at this page, but not submit/)).toBeTruthy();
  await userEvent.type(await goal(), "x{Control>}{Enter}{/Control}");
  await send();
  expect(taken).toEqual([]);
});

/** The plainest archive: empty files. */
function tar(...names: string[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(512 * (names.length + 2));
  names.forEach((name, index) => {
    const head = bytes.subarray(index * 512, (index + 1) * 512);
    head.set(new TextEncoder().encode(name));
    head.set(new TextEncoder().encode("00000000000"), 124);
    head[156] = "0".charCodeAt(0);
  });
  return bytes;
}
