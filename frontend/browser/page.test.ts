import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launch } from "./browser";
import { ADD, Host, REPLAY, submit } from "./host";
import { Model } from "./model";

let browser: Browser;
let context: BrowserContext;
let page: Page;
/** What the browser complains of: nothing, ever. */
let complaints: string[];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  page = await context.newPage();
  complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
});
afterEach(async () => {
  await context.close();
  expect(complaints).toEqual([]);
});

/** Not the filters' options, which are the same words. */
const badge = (text: string) => page.locator("main span").filter({ hasText: new RegExp(`^\\s*${text}$`) }).first();

describe("with the samples' recordings", () => {
  let host: Host;
  beforeAll(async () => {
    host = await Host.start(REPLAY);
  });
  afterAll(() => host.stop());

  test("a first-time user submits a sample, reads the diff, and runs it again another way", async () => {
    await page.goto(host.url);
    await page.getByRole("link", { name: "Submit one, or try a sample" }).click();
    await page.getByLabel("Begin with a sample").selectOption("fizz");
    await page.reload();
    await expect.poll(() => page.getByLabel("Goal").inputValue()).toContain("fizz.py");
    await page.getByRole("button", { name: "Submit", exact: true }).click();
    await badge("green").waitFor();
    const first = new URL(page.url()).pathname;

    await page.getByRole("tab", { name: "Checks" }).click();
    await page.getByText("AssertionError").first().waitFor();
    await page.getByRole("tab", { name: "Changes" }).click();
    await page.getByText("def fizz(n):").first().waitFor();
    await page.getByRole("tab", { name: "Log" }).click();
    await page.getByText("ended: green").waitFor();

    await page.getByRole("button", { name: "Run again…" }).click();
    await page.getByLabel("Pipeline").selectOption("short");
    await page.getByRole("dialog").getByLabel("Rounds at most").fill("1");
    await page.getByRole("button", { name: "Run again", exact: true }).click();
    await page.waitForURL((url) => url.pathname !== first);
    await badge("no rounds left").waitFor();
    await page.getByRole("link", { name: "compare" }).click();
    await page.getByRole("heading", { name: "Compare" }).waitFor();
    await badge("green").waitFor();
    await badge("no rounds left").waitFor();
  });

  test("filters live in the URL", async () => {
    await page.goto(`${host.url}/?outcome=not-green`);
    await badge("no rounds left").waitFor();
    await expect.poll(() => page.getByRole("row").count()).toBe(2);
    await page.getByLabel("Any outcome").selectOption("green");
    await badge("green").waitFor();
    await expect.poll(() => page.url()).toContain("outcome=green");
    await page.getByLabel("Search goals and ids").fill("no such goal");
    await page.getByText("No task is like that").waitFor();
    await page.reload();
    await page.getByText("No task is like that").waitFor();
  });

  test("everything is within reach of the keyboard", async () => {
    await page.goto(host.url);
    await badge("green").waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("tab", { name: "Story" }).waitFor();
    await page.keyboard.press("4");
    await page.getByRole("region", { name: "Lines" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("p");
    await page.getByRole("heading", { name: "Plugins" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("fizz");
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("tab", { name: "Story" }).waitFor();
  });

  test("axe finds nothing, on any page, in either theme", async () => {
    const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const tasks = (await (await fetch(`${host.url}/api/v1/tasks`)).json()) as { tasks: { id: string }[] };
    const [second, first] = tasks.tasks.map((task) => task.id);
    const tabs = ["story", "checks", "changes", "log", "attempts"].map((tab) => `/tasks/${first}?tab=${tab}`);
    const paths = ["/", "/submit", "/plugins", "/workers", "/overview", "/nothing-here", `/compare?left=${first}&right=${second}`, ...tabs];
    // The page's policy would refuse a script from here, as it should.
    const open = await browser.newContext({ bypassCSP: true });
    const all: Record<string, string[]> = {};
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await open.newPage();
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const path of paths) {
        await page.goto(host.url + path);
        await page.locator("main").locator("h1, h2, p").first().waitFor();
        await page.waitForLoadState("networkidle").catch(() => undefined);
        await page.evaluate(axe);
        const found = await page.evaluate(async () => {
          const { axe } = window as unknown as { axe: { run: (options: object) => Promise<AxeResult> } };
          const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
          const { violations } = await axe.run({ runOnly: tags });
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ; ").slice(0, 400)}`);
        });
        if (found.length > 0) all[`${colorScheme} ${path}`] = found;
      }
      await page.close();
    }
    await open.close();
    expect(all).toEqual({});
  });
});

interface AxeResult {
  violations: { id: string; nodes: { html: string }[] }[];
}

describe("with a model that writes when told to", () => {
  let host: Host;
  let model: Model;
  beforeAll(async () => {
    model = await Model.start();
    host = await Host.start(model.config);
  });
  afterAll(async () => {
    model.stop();
    await host.stop();
  });

  test("tokens are shown as they come, and a reload or a killed host loses and doubles nothing", async () => {
    const id = await submit(host, ADD);
    await page.goto(`${host.url}/tasks/${id}`);
    const answer = await model.asked();
    answer.says("```python\n# add.py\ndef add(a, b):\n");
    const pane = page.getByLabel("Answer", { exact: true });
    await pane.getByText("def add(a, b):").waitFor();
    await page.reload();
    await pane.getByText("def add(a, b):").waitFor();

    await host.kill();
    await page.getByText("The connection to the host is lost").waitFor();
    await host.up();
    const anew = await model.asked();
    anew.says("```python\n# add.py\ndef add(a, b):\n    return a + b\n```\n");
    anew.ends();
    await badge("green").waitFor({ timeout: 60_000 });
    await page.getByRole("tab", { name: "Log" }).click();
    await page.getByText("ended: green").waitFor();
    expect(await page.getByText("submitted", { exact: true }).count()).toBe(1);
  });

  test("a running task is cancelled", async () => {
    const id = await submit(host, ADD);
    await page.goto(`${host.url}/tasks/${id}`);
    await model.asked();
    await page.getByRole("button", { name: "Cancel" }).click();
    await badge("cancelled").waitFor({ timeout: 30_000 });
    await expect.poll(() => page.title()).toMatch(/^cancelled · /);
  });

  test("what strangers write is text, however it looks", async () => {
    const evil = `<script>alert(1)</script><img src=x onerror=alert(2)> \u202Egnp.exe`;
    const [line, answered] = ["x".repeat(1 << 20), "x".repeat(300_000)];
    const id = await submit(host, {
      goal: `${evil} ${"y".repeat(20_000)}`,
      files: [{ path: "<img src=x onerror=alert(3)>.py", content: line }, ...ADD.files],
      tests: ["test_add.py"],
    });
    await page.goto(`${host.url}/tasks/${id}`);
    const answer = await model.asked();
    answer.says(`\`\`\`python\n# add.py\n"""${evil}"""\n# ${answered}\ndef add(a, b):\n    return a + b\n\`\`\`\n`);
    answer.ends();
    await badge("green").waitFor({ timeout: 60_000 });
    for (const tab of ["Checks", "Changes", "Log", "Attempts", "Story"]) {
      await page.getByRole("tab", { name: tab }).click();
      await page.waitForTimeout(0);
    }
    await page.goto(host.url);
    await page.getByText("<script>alert(1)</script>").first().waitFor();
    expect(await page.locator("main script, main img").count()).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });
});

test("with a token, the page asks for it and keeps it in a cookie that no script reads", async () => {
  const host = await Host.start(`token = "secret-canary"\n${REPLAY}`);
  try {
    await page.goto(`${host.url}/plugins`);
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("this is not the token of this host").waitFor();
    await page.getByLabel("Token").fill("secret-canary");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Plugins" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Plugins" }).waitFor();
    expect(await page.evaluate(() => document.cookie + JSON.stringify(localStorage))).not.toContain("aiagent_session");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").waitFor();
  } finally {
    await host.stop();
  }
});
