import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { launch } from "./browser";
import { ADD, events, Host, submitMany } from "./host";
import { LONG, LONG_CONFIG, longTask } from "./long";
import { Model } from "./model";

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await launch();
});
beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
});
afterAll(() => browser.close());

const TASKS = 10_000;

test("10,000 tasks: searched, paged through, and cancelled by the dozen", async () => {
  const host = await Host.start(`role = "dashboard"\n`);
  try {
    await submitMany(host, TASKS, (n) => ({ ...ADD, goal: `Task ${n}: ${ADD.goal}` }));
    await page.goto(host.url);
    for (const rows of [50, 100, 150]) {
      await page.getByRole("row").nth(rows).waitFor();
      await page.getByRole("button", { name: "Older tasks" }).click();
    }
    await page.getByLabel("Search goals and ids").fill("Task 77:");
    await page.getByText(`Task 77: ${ADD.goal}`).waitFor();
    await expect.poll(() => page.getByRole("row").count()).toBe(2);

    await page.getByLabel("Search goals and ids").fill("Task 99");
    await page.getByRole("row").nth(50).waitFor();
    await page.getByLabel("Select all shown").check();
    await page.getByRole("button", { name: "Select all that match" }).click();
    // 99, 990 to 999, and 9900 to 9999.
    await page.getByText("111 tasks selected").waitFor();
    await page.getByRole("region", { name: "Selection" }).getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByText("111 tasks will be cancelled").waitFor();
    await page.getByRole("button", { name: "Cancel 111 tasks" }).click();
    await page.getByText("111 tasks cancelled").waitFor();
    await page.goto(`${host.url}/?outcome=cancelled`);
    await page.getByRole("row").nth(50).waitFor();
  } finally {
    await host.stop();
  }
});

test("a task of 5,000 events, and its log of 100,000 lines", async () => {
  const model = await Model.start();
  const host = await Host.start(model.config + LONG_CONFIG);
  try {
    const id = await longTask(host, model);
    await page.goto(`${host.url}/tasks/${id}?tab=log`);
    expect((await events(host, id)).length).toBeGreaterThan(5_000);
    const shown = async () => Number((await page.getByText(/^[\d,]+ lines$/).innerText()).replace(/\D/g, ""));
    await expect.poll(shown, { timeout: 30_000 }).toBeGreaterThan(LONG.rounds * LONG.linesPerRound);
    // Whoever opens the log of a task that has ended begins at its top.
    await page.getByRole("region", { name: "Lines" }).press("End");
    await page.getByText("ended: budget").waitFor();
    await page.getByLabel("Search the log").fill("round 321: build");
    await page.getByText(/^1 of [\d,]+ lines$/).waitFor();
    await page.getByText("round 321: build with builder").waitFor();
    await page.getByRole("region", { name: "Lines" }).getByRole("link").first().click();
    await expect.poll(() => page.url()).toMatch(/#L\d{5}$/);
    await page.reload();
    await page.getByText("round 321: build with builder").waitFor();

    await page.getByRole("tab", { name: "Story" }).click();
    await page.getByRole("button", { name: /earlier steps/ }).waitFor();
    await page.getByRole("tab", { name: "Checks" }).click();
    await page.getByRole("heading", { name: `Round ${LONG.rounds}: build` }).waitFor();
  } finally {
    model.stop();
    await host.stop();
  }
});
