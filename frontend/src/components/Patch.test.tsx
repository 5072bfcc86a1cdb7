import { cleanup, screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";
import { tasks } from "../mock/data";
import { mockedHost, show } from "../test-page";
import { Between } from "./Between";
import { Changes } from "./Changes";

const server = mockedHost();
const task = tasks[1]!;
const added = (path: string, line = "x") => `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+${line}\n`;

function open(patch: string, query = "") {
  server.use(http.get("*/api/v1/tasks/:id/diff", () => HttpResponse.text(patch)));
  return show(`/${query}`, "/", <Changes task={task} version="1" />);
}

test("of many files the first are drawn, and any can be gone to", async () => {
  const name = (n: number) => `f${n}.py`;
  const drawn = () => document.querySelectorAll("h2").length;
  const where = open(Array.from({ length: 250 }, (_, n) => added(name(n))).join(""));
  await screen.findByText("250 files,");
  expect(drawn()).toBe(200);
  await userEvent.selectOptions(screen.getByLabelText("Go to a file"), name(229));
  await waitFor(() => expect(drawn()).toBe(230));
  expect(where()).toBe(`/?file=${name(229)}`);
  await userEvent.click(screen.getByText("20 more files"));
  expect(drawn()).toBe(250);
});

test("a patch that no page can show is said to be one, and can be downloaded", async () => {
  open(added("large.txt", "x".repeat(16_000_000)));
  await screen.findByText(/This patch has 15 MiB/);
  expect(screen.getByRole("link", { name: "Download patch" }).getAttribute("href")).toBe(`/api/v1/tasks/${task.id}/diff`);
  expect(screen.queryByRole("heading")).toBeNull();
});

test("trees that are alike give an empty body, and are said to be alike", async () => {
  const empty = { headers: { "content-type": "text/x-diff", "content-length": "0" } };
  server.use(http.get("*/api/v1/tasks/:id/diff", () => new HttpResponse("", empty)));
  show("/", "/", <Changes task={{ ...task, rounds: [], outcome: null }} version="1" />);
  expect(await screen.findByText("Nothing changed yet")).toBeTruthy();
  cleanup();
  show("/", "/", <Between left={task} right={tasks[2]!} version="1" />);
  expect(await screen.findByText("The two results are identical")).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("side by side, changed lines stand beside those in their place", async () => {
  open("diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-old one\n-old two\n+new one\n+new two\n", "?view=split");
  await screen.findByText("old one");
  const rows = [...document.querySelectorAll(".diff-line")].map((row) => row.textContent);
  expect(rows).toEqual(["1old one1new one", "2old two2new two"]);
});
