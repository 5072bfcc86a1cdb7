import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext } from "playwright-core";
import { test } from "vitest";
import { launch } from "../browser/browser";
import { ADD, Host, pluginFile, REPLAY, submit } from "../browser/host";
import { pageFor, settled } from "../browser/page";

/** Where the pictures go; those in docs/screenshots have been through `pngquant`. */
const INTO = process.env.SHOTS ?? "dist/shots";

const LOOKS = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 720 }, colorScheme: "light" },
} as const;

const CONFIG = `${REPLAY}[pipelines.strong]
candidates = 1
[api]
change_plugins = true
`;
const PLUGINS = ["builder", "fixer", "check-python", "check-command", "adapter-openai", "adapter-anthropic"];

interface Sample {
  name: string;
  goal: string;
  files: { path: string; content: string }[];
}

async function ended(host: Host, id: string) {
  // Its events end when it has.
  await (await fetch(`${host.url}/api/v1/tasks/${id}/events`)).text();
}

const post = async (host: Host, path: string, body: object) => {
  const headers = { "content-type": "application/json" };
  return (await fetch(host.url + path, { method: "POST", headers, body: JSON.stringify(body) })).json() as Promise<{ id: string }>;
};

/** What a host looks like that has been at work: tasks of all kinds, one that nobody may take, a plugin that is refused. */
async function busy(host: Host) {
  const samples = (await (await fetch(`${host.url}/api/v1/samples`)).json()) as Sample[];
  const ids: Record<string, string> = {};
  for (const { name, goal, files } of samples) {
    const tests = files.map((file) => file.path).filter((path) => path.startsWith("test_"));
    ids[name] = await submit(host, { goal, files, tests });
  }
  await Promise.all(Object.values(ids).map((id) => ended(host, id)));
  const { id: second } = await post(host, `/api/v1/tasks/${ids.fizz}/again`, { pipeline: "short", budget: { rounds: 1 } });
  // There is no recording of this one: its model fails.
  await Promise.all([second, await submit(host, ADD)].map((id) => ended(host, id)));
  await post(host, "/api/v1/queues/nightly/pause", {});
  await submit(host, { ...ADD, goal: "Speed up the import of price lists.", place: { queue: "nightly" } });
  cpSync(pluginFile("check-command"), join(host.dir, "plugins/greedy.wasm"));
  return { first: ids.fizz!, second };
}

async function shoot(context: BrowserContext, host: Host, pages: Record<string, string>, look: string) {
  const page = await context.newPage();
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(host.url + path);
    await settled(page);
    if (name === "submit") await page.getByLabel("Begin with a sample").selectOption("fizz");
    if (name === "again") {
      await page.getByRole("button", { name: "Run again…" }).click();
      await page.getByRole("dialog").waitFor();
    }
    await settled(page);
    // Charts and pictures of the libraries come a moment later.
    await page.waitForLoadState("networkidle").catch(() => undefined);
    await page.screenshot({ path: join(INTO, `${name}-${look}.png`) });
  }
  await page.close();
}

test("a picture of every page, light, dark, and on a phone", async () => {
  mkdirSync(INTO, { recursive: true });
  const host = await Host.start(CONFIG, PLUGINS);
  const locked = await Host.start(`token = "shots"\n`);
  const browser = await launch();
  try {
    const { first, second } = await busy(host);
    const task = `/tasks/${first}`;
    const pages = {
      tasks: "/",
      submit: "/submit",
      story: task,
      checks: `${task}?tab=checks`,
      changes: `${task}?tab=changes&view=split&from=1`,
      log: `${task}?tab=log`,
      attempts: `${task}?tab=attempts`,
      files: `${task}?tab=files`,
      again: task,
      compare: `/compare?left=${first}&right=${second}`,
      plugins: "/plugins",
      workers: "/workers",
      overview: "/overview?days=7",
      audit: "/audit",
    };
    for (const [look, options] of Object.entries(LOOKS)) {
      const context = await browser.newContext({ ...options, reducedMotion: "reduce" });
      await pageFor(context);
      await shoot(context, host, pages, look);
      await shoot(context, locked, { login: "/" }, look);
      await context.close();
    }
  } finally {
    await browser.close();
    await host.stop();
    await locked.stop();
  }
});
