import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { test } from "vitest";
import { launch } from "../browser/browser";
import { Host, REPLAY, submit } from "../browser/host";

/** Where the pictures go; a chosen few of them stand in docs/screenshots. */
const INTO = process.env.SHOTS ?? "dist/shots";

const LOOKS = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 720 }, colorScheme: "light" },
} as const;

interface Sample {
  name: string;
  goal: string;
  files: { path: string; content: string }[];
}

async function ended(host: Host, id: string) {
  // Its events end when it has.
  await (await fetch(`${host.url}/api/v1/tasks/${id}/events`)).text();
}

test("a picture of every page, light, dark, and on a phone", async () => {
  mkdirSync(INTO, { recursive: true });
  const host = await Host.start(`${REPLAY}[pipelines.strong]\ncandidates = 1\n`);
  const browser = await launch();
  try {
    const samples = (await (await fetch(`${host.url}/api/v1/samples`)).json()) as Sample[];
    const ids: Record<string, string> = {};
    for (const { name, goal, files } of samples) {
      const tests = files.map((file) => file.path).filter((path) => path.startsWith("test_"));
      ids[name] = await submit(host, { goal, files, tests });
    }
    await Promise.all(Object.values(ids).map((id) => ended(host, id)));
    const again = await fetch(`${host.url}/api/v1/tasks/${ids.fizz}/again`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ pipeline: "short", budget: { rounds: 1 } }),
    });
    const second = ((await again.json()) as { id: string }).id;
    await ended(host, second);
    const task = `/tasks/${ids.fizz}`;
    const pages: Record<string, string> = {
      tasks: "/",
      submit: "/submit",
      story: task,
      checks: `${task}?tab=checks`,
      changes: `${task}?tab=changes&view=split&from=1`,
      log: `${task}?tab=log`,
      attempts: `${task}?tab=attempts`,
      compare: `/compare?left=${ids.fizz}&right=${second}`,
      plugins: "/plugins",
      workers: "/workers",
      overview: "/overview",
    };
    for (const [look, options] of Object.entries(LOOKS)) {
      const page = await browser.newPage({ ...options, reducedMotion: "reduce" });
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(host.url + path);
        await page.locator("main").locator("h1, h2").first().waitFor();
        if (name === "submit") await page.getByLabel("Begin with a sample").selectOption("fizz");
        await settled(page);
        await page.screenshot({ path: join(INTO, `${name}-${look}.png`) });
      }
      await page.close();
    }
  } finally {
    await browser.close();
    await host.stop();
  }
});

/** Nothing is on its way any more. */
async function settled(page: Page) {
  await page.waitForFunction(() => !document.querySelector("[aria-label=Loading]"));
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300))));
}
