import { screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";
import { plugins } from "../mock/data";
import { loggedInAs, mockedHost, sent, show } from "../test-page";
import { Plugins } from "./Plugins";

const server = mockedHost();
const open = () => show("/plugins", "/plugins", <Plugins />);
const held = plugins.refused[0]!;

test("what is served says how it does, and what it may", async () => {
  open();
  const card = within(await screen.findByRole("region", { name: "builder" }));
  expect(card.getByText("12 calls")).toBeTruthy();
  expect(card.getByText("92 %")).toBeTruthy();
  expect(card.getByText("21 ms")).toBeTruthy();
  expect(card.getByText("128 MiB")).toBeTruthy();
  expect(card.getByText("read and write the task's files")).toBeTruthy();
  expect(screen.getByText("generation 3", { selector: "h1 span" })).toBeTruthy();
});

test("what is refused says why and what to do", async () => {
  open();
  const refused = within(await screen.findByRole("region", { name: "Not served: greedy.wasm" }));
  expect(refused.getByText(/which nobody granted/)).toBeTruthy();
  expect(refused.getByText(/grants = \["exec"\]/)).toBeTruthy();
  expect(refused.queryByRole("button", { name: "Allow…" })).toBeNull();
});

test("what is refused is deleted after a second word", async () => {
  const { handler, taken } = sent("delete", "*/api/v1/plugins/:file", () => new HttpResponse(null, { status: 204 }));
  server.use(handler);
  open();
  const refused = within(await screen.findByRole("region", { name: "Not served: greedy.wasm" }));
  await userEvent.click(refused.getByRole("button", { name: "Remove the file…" }));
  expect(taken).toEqual([]);
  expect(screen.getByText(/Nothing runs on it/)).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Remove it" }));
  await waitFor(() => expect(taken).toEqual([["/api/v1/plugins/greedy.wasm", ""]]));
});

test("what is held back is let in by its digest", async () => {
  const { handler, taken } = sent("post", "*/api/v1/plugins/builder.wasm/allow", () => HttpResponse.json({}));
  server.use(handler);
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Allow…" }));
  await userEvent.click(await screen.findByRole("button", { name: "Allow it" }));
  expect(await screen.findByText("builder.wasm is allowed")).toBeTruthy();
  expect(taken).toEqual([["/api/v1/plugins/builder.wasm/allow", { digest: held.digest }]]);
});

test("a file is uploaded, and replaces another after a second word", async () => {
  let answers = 0;
  const { handler, taken } = sent("post", "*/api/v1/plugins", () =>
    answers++ === 0
      ? HttpResponse.json({ detail: "new.wasm is there" }, { status: 409 })
      : HttpResponse.json({ file: "new.wasm", digest: held.digest }),
  );
  server.use(handler);
  open();
  await userEvent.upload(await screen.findByLabelText("A plugin's .wasm file"), new File(["\0asm"], "new.wasm"));
  await userEvent.click(await screen.findByRole("button", { name: "Add it" }));
  await userEvent.click(await screen.findByRole("button", { name: "Replace it" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(taken.map((call) => (call as string[])[0])).toEqual([
    "/api/v1/plugins?file=new.wasm",
    "/api/v1/plugins?file=new.wasm&replace=true",
  ]);
});

test("a refused upload says why, and the dialog stays", async () => {
  server.use(http.post("*/api/v1/plugins", () => HttpResponse.json({ detail: "it exports no kind" }, { status: 422 })));
  open();
  await userEvent.upload(await screen.findByLabelText("A plugin's .wasm file"), new File(["no"], "no.wasm"));
  await userEvent.click(await screen.findByRole("button", { name: "Add it" }));
  expect(await screen.findByText(/it exports no kind/)).toBeTruthy();
});

test("what a pipeline names is removed only by a second word", async () => {
  let answers = 0;
  const { handler, taken } = sent("delete", "*/api/v1/plugins/:file", () =>
    answers++ === 0
      ? HttpResponse.json({ detail: "pipeline default names it" }, { status: 409 })
      : new HttpResponse(null, { status: 204 }),
  );
  server.use(handler);
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Remove fixer" }));
  await userEvent.click(await screen.findByRole("button", { name: "Remove it" }));
  expect(await screen.findByText(/pipeline default names it/)).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Remove it all the same" }));
  await waitFor(() => expect(taken).toEqual([["/api/v1/plugins/fixer.wasm", ""], ["/api/v1/plugins/fixer.wasm?force=true", ""]]));
});

test.each([
  ["submitter", {}, /It takes an administrator/],
  ["administrator", { may_change_plugins: false }, /api.change_plugins = true/],
] as const)("%s %j: the reason is told", async (role, more, why) => {
  server.use(loggedInAs(role, more));
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Upload a plugin" }));
  expect(await screen.findByText(why)).toBeTruthy();
});
