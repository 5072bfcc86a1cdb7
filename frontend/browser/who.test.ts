import { afterAll, beforeAll, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { ADD, Host, pluginFile, REPLAY } from "./host";
import { settled, violations, visits } from "./page";

const visit = visits();
let host: Host;
const tokens: Record<string, string> = {};
const ROLES = { vera: "viewer", sam: "submitter", ann: "administrator" } as const;
beforeAll(async () => {
  host = await Host.start(`token = "secret-canary"\napi.change_plugins = true\n${REPLAY}`, [
    "builder",
    "fixer",
    "check-python",
    "adapter-openai",
  ]);
  for (const [name, role] of Object.entries(ROLES)) tokens[name] = host.command("token", "create", name, role).trim();
});
afterAll(() => host.stop());

/** Playwright waits for what is `aria-disabled`, but a reader does not. */
const BARRED = { force: true };

async function logIn(page: Page, name: string, path = "/") {
  await page.goto(host.url + path);
  await page.getByLabel("Token").fill(tokens[name]!);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByTitle(`${name}, ${ROLES[name as keyof typeof ROLES]}`).waitFor();
}

test("a token is asked for, and kept in a cookie that no script reads", async () => {
  const { page } = visit;
  await page.goto(`${host.url}/plugins`);
  await page.getByLabel("Token").fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Token").fill("secret-canary");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Plugins" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Plugins" }).waitFor();
  const seen = await page.evaluate(() => document.cookie + JSON.stringify(localStorage));
  expect(seen).not.toContain("session");
  expect(seen).not.toContain("secret-canary");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Token").waitFor();
});

test("two users of different roles: one submits, the other watches, and each is told what it takes", async () => {
  const { page: sam } = visit;
  const vera = await visit.another();
  await logIn(sam, "sam", "/submit");
  await logIn(vera, "vera");
  await sam.getByLabel("Begin with a sample").selectOption("fizz");
  await sam.getByRole("button", { name: "Submit", exact: true }).click();
  await sam.getByRole("tab", { name: "Story" }).waitFor();

  await vera.getByRole("row").filter({ hasText: "fizz" }).getByText("green").waitFor();
  await vera.getByRole("row").filter({ hasText: "fizz" }).getByRole("link").click();
  await vera.getByRole("button", { name: "Run again…" }).click(BARRED);
  await vera.getByText("It takes a submitter; you are a viewer.").first().waitFor();
  expect(await vera.getByRole("dialog").count()).toBe(0);
  await vera.goto(`${host.url}/submit`);
  await vera.getByText(/You can look at this page, but not submit/).waitFor();
  expect(await vera.getByRole("link", { name: "Audit log" }).count()).toBe(0);
  await vera.goto(`${host.url}/audit`);
  await vera.getByText("It takes an administrator; you are a viewer.").waitFor();
  // What the page bars, the host refuses as well.
  const refused = await vera.evaluate(
    async (body) => (await fetch("/api/v1/tasks", { method: "POST", headers: { "content-type": "application/json" }, body })).status,
    JSON.stringify(ADD),
  );
  expect(refused).toBe(403);

  await sam.goto(`${host.url}/workers`);
  await sam.getByRole("button", { name: "Pause default" }).click(BARRED);
  await sam.getByText("It takes an administrator; you are a submitter.").first().waitFor();
});

test("an administrator uploads, and removes, a plugin, and reads who did what", async () => {
  const { page: ann } = visit;
  await logIn(ann, "ann", "/plugins");
  await ann.getByRole("region", { name: "builder" }).waitFor();
  const name = "adapter-anthropic";
  await ann.getByLabel("A plugin's .wasm file").setInputFiles(pluginFile(name));
  await ann.getByRole("button", { name: "Add it" }).click();
  const card = ann.getByRole("region", { name });
  await card.waitFor();
  await card.getByRole("button", { name: `Remove ${name}` }).click();
  await ann.getByRole("button", { name: "Remove it" }).click();
  await card.waitFor({ state: "detached" });

  await ann.getByLabel("A plugin's .wasm file").setInputFiles({ name: "no.wasm", mimeType: "application/wasm", buffer: Buffer.from("no plugin") });
  await ann.getByRole("button", { name: "Add it" }).click();
  await ann.getByRole("dialog").getByRole("alert").waitFor();
  await ann.getByRole("dialog").getByRole("button", { name: "Leave it" }).click();

  await ann.getByRole("link", { name: "Audit log" }).click();
  for (const [who, what] of [
    ["sam", "submitted"],
    ["ann", "uploaded"],
    ["ann", "removed"],
    ["nobody", "log in refused"],
  ]) {
    await ann.getByRole("row").filter({ hasText: who! }).filter({ hasText: what! }).first().waitFor();
  }
});

test("whoever's token is revoked is asked to log in, where they are", async () => {
  const { page } = visit;
  await logIn(page, "vera", "/plugins");
  host.command("token", "revoke", "vera");
  // The page asks by itself every 10 s: a key pressed here would race with that.
  await page.getByLabel("Token").waitFor();
  expect(new URL(page.url()).pathname).toBe("/plugins");
});

test("axe finds nothing in the log-in, nor in what an administrator sees", async () => {
  const open = await visit.browser.newContext({ bypassCSP: true });
  const page = await open.newPage();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.goto(host.url);
    await page.getByLabel("Token").waitFor();
    expect(await violations(page)).toEqual([]);
    await logIn(page, "ann");
    for (const path of ["/audit", "/plugins"]) {
      await page.goto(host.url + path);
      await settled(page);
      expect(await violations(page)).toEqual([]);
    }
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").waitFor();
  }
  await open.close();
});
