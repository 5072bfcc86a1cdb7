import { screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";
import { Layout } from "../components/Layout";
import { PATCH, tasks } from "../mock/data";
import { loggedInAs, mockedHost, show } from "../test-page";
import { Audit } from "./Audit";
import { Compare } from "./Compare";
import { Overview } from "./Overview";

const server = mockedHost();

test("the overview adds up, and its choices live in the URL", async () => {
  const where = show("/overview?days=7", "/overview", <Overview />);
  const byPipeline = within(await screen.findByRole("region", { name: "By pipeline" }));
  expect(byPipeline.getByRole("row", { name: /^strong/ })).toBeTruthy();
  expect(await screen.findByRole("region", { name: "Pass rate by day" })).toBeTruthy();
  await userEvent.selectOptions(screen.getByLabelText("Told apart by"), "model");
  expect(where()).toBe("/overview?days=7&by=model");
});

test("an overview of nothing says what will be there", async () => {
  server.use(http.get("*/api/v1/overview", () => HttpResponse.json({ days: [], truncated: false })));
  show("/overview", "/overview", <Overview />);
  expect(await screen.findByText("No task has ended in 14 days")).toBeTruthy();
});

test("the audit log says who did what", async () => {
  show("/audit", "/audit", <Audit />);
  const row = within(await screen.findByRole("row", { name: /ann/ }));
  expect(row.getByText("submitted")).toBeTruthy();
  expect(row.getByRole("link").getAttribute("href")).toBe(`/tasks/${tasks[0]!.id}`);
});

test("the audit log is for administrators", async () => {
  server.use(loggedInAs("submitter"));
  show("/audit", "/audit", <Audit />);
  expect(await screen.findByText("It takes an administrator; you are a submitter.")).toBeTruthy();
});

test("two tasks are compared fact by fact, and by what differs between their results", async () => {
  const asked: string[] = [];
  server.use(
    http.get("*/api/v1/tasks/:id/diff", ({ request }) => {
      const { pathname, search } = new URL(request.url);
      asked.push(pathname.split("/")[4]!.slice(-1) + search);
      return HttpResponse.text(PATCH);
    }),
  );
  const [left, right] = [tasks[1]!, tasks[2]!];
  const pair = `left=${left.id}&right=${right.id}`;
  const where = show(`/compare?${pair}`, "/compare", <Compare />);
  expect(await screen.findByRole("row", { name: /Tests 3 passed, 0 failed 2 passed, 1 failed/ })).toBeTruthy();
  expect(await screen.findAllByText("fizz.py", { selector: "code" })).toHaveLength(1);
  expect(asked).toEqual([`2?with=${left.id}`]);
  await userEvent.selectOptions(screen.getByLabelText("From the left"), "round 1");
  await waitFor(() => expect(asked.at(-1)).toBe(`2?with=${left.id}&from=1`));

  await userEvent.click(screen.getByRole("tab", { name: "What each changed" }));
  await waitFor(() => expect(screen.getAllByText("fizz.py", { selector: "code" })).toHaveLength(2));
  const ofRight = within(screen.getByRole("region", { name: "Changes of the right task" }));
  await userEvent.selectOptions(ofRight.getByLabelText("View"), "side by side");
  expect(where()).toBe(`/compare?${pair}&from=1&show=each&right-view=split`);
  await userEvent.click(screen.getByRole("link", { name: "Swap" }));
  expect(where()).toBe(`/compare?left=${right.id}&right=${left.id}`);
});

test("whoever is not logged in sees the log-in alone, with the provider where there is one", async () => {
  const sign_in = { name: "the <b>company</b>", url: "/api/v1/session/sign-in" };
  server.use(
    http.get("*/api/v1/session", () => HttpResponse.json({ needed: true, open: false, sign_in })),
    http.post("*/api/v1/session", () => HttpResponse.json({ detail: "too many log-ins; come again in 30 s" }, { status: 429 })),
    http.get("*/api/v1/about", () => {
      throw new Error("nobody asks");
    }),
  );
  show("/", "/", <Layout />);
  const link = await screen.findByRole("link", { name: "Continue with the <b>company</b>" });
  expect(link.getAttribute("href")).toBe(sign_in.url);
  expect(screen.queryByRole("link", { name: "Plugins" })).toBeNull();
  await userEvent.type(screen.getByLabelText("Token"), "wrong");
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  expect(await screen.findByText(/come again in 30 s/)).toBeTruthy();
});

test("whoever is logged out in the middle is asked for the token, where they are; a wrong one changes nothing", async () => {
  const asked = vi.fn();
  const out = () => HttpResponse.json({ detail: "log in first" }, { status: 401 });
  let open = true;
  server.use(
    http.get("*/api/v1/session", () => {
      asked();
      return HttpResponse.json({ needed: true, open, name: "ann", role: "viewer" });
    }),
    http.get("*/api/v1/tasks", out),
    http.post("*/api/v1/session", out),
  );
  show("/", "/", <Layout />);
  await screen.findByTitle("ann, viewer");
  open = false;
  await userEvent.keyboard("{Control>}k{/Control}");
  await userEvent.type(await screen.findByLabelText("Token"), "wrong");
  expect(screen.queryByRole("dialog")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  await screen.findByText(/log in first/);
  expect(asked).toHaveBeenCalledTimes(2);
});

test("the menu says who is logged in, and shows what they may see", async () => {
  server.use(loggedInAs("viewer"));
  show("/", "/", <Layout />);
  expect(await screen.findByTitle("ann, viewer")).toBeTruthy();
  expect(screen.queryByRole("link", { name: "Audit log" })).toBeNull();
  expect(screen.getByRole("button", { name: "Log out" })).toBeTruthy();
});

test("a theme is chosen, in a browser that keeps nothing as well", async () => {
  const refuse = () => {
    throw new DOMException("off", "SecurityError");
  };
  const storage = [vi.spyOn(Storage.prototype, "getItem"), vi.spyOn(Storage.prototype, "setItem")].map((spy) => spy.mockImplementation(refuse));
  show("/", "/", <Layout />);
  await userEvent.click(await screen.findByRole("button", { name: "Theme: system" }));
  await userEvent.click(screen.getByRole("button", { name: "Theme: light" }));
  expect(document.documentElement.classList.contains("dark")).toBe(true);
  storage.forEach((spy) => spy.mockRestore());
});

test("an administrator finds the audit log, by key as well", async () => {
  const where = show("/", "/", <Layout />);
  expect(await screen.findByRole("link", { name: "Audit log" })).toBeTruthy();
  await userEvent.keyboard("ga");
  expect(where()).toBe("/audit");
});
