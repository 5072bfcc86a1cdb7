import type { Browser } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { launch } from "../browser/browser";
import { ADD, events, Host, submit } from "../browser/host";
import { Model } from "../browser/model";
import { quantile, say, sleep } from "./figures";
import { typingTasks, WORKER } from "./typing";

const RUNNING = 50;
const WATCHED_MS = 20_000;
const ENDED = 40;

let browser: Browser;
let model: Model;
let host: Host;
beforeAll(async () => {
  [browser, model] = await Promise.all([launch(), Model.start()]);
  host = await Host.start(WORKER + model.config);
});
afterAll(async () => {
  await browser.close();
  model.stop();
  await host.stop();
});

declare global {
  interface Window {
    /** When, by this machine's clock, what was first painted. */
    seen: [number, string][];
  }
}

/** Notes each change of an element's text, when it has been painted. */
function watch(selector: string) {
  window.seen = [];
  const note = () => {
    const text = document.querySelector(selector)?.textContent ?? "";
    requestAnimationFrame(() => setTimeout(() => window.seen.push([Date.now(), text])));
  };
  new MutationObserver(note).observe(document.body, { childList: true, subtree: true, characterData: true });
}

test(`from commit to paint, with ${RUNNING} tasks running`, async () => {
  const typing = await typingTasks(host, model, RUNNING);
  const page = await browser.newPage();

  const id = typing.ids[0]!;
  await page.goto(`${host.url}/tasks/${id}`);
  await page.getByLabel("Answer", { exact: true }).waitFor();
  const from = Date.now();
  await page.evaluate(watch, "pre[aria-label=Answer]");
  await sleep(WATCHED_MS);
  const painted = await page.evaluate(() => window.seen);
  const told = (await events(host, id, 2_000)).filter((event) => event.type === "tokens" && event.at > from);
  const waits = told.flatMap((event) => {
    const last = (event.text as string).trim().split(" ").at(-1)!;
    const shown = painted.find(([at, text]) => at >= event.at && text.includes(`${last} `));
    return shown ? [shown[0] - event.at] : [];
  });
  say("a task's page: events seen", waits.length, `of ${told.length}`);
  say("a task's page: median", quantile(waits, 0.5), "ms");
  say("a task's page: p95", quantile(waits, 0.95), "ms", 150);

  await page.goto(host.url);
  await page.getByRole("row").nth(2).waitFor();
  await page.evaluate(watch, "tbody");
  const ended: { id: string; goal: string }[] = [];
  for (let n = 0; n < ENDED; n++) {
    const goal = `Short one, number ${n}.`;
    const id = await submit(host, { ...ADD, goal });
    const answer = await model.asked();
    answer.says("```python\n# add.py\ndef add(a, b):\n    return a + b\n```\n");
    answer.ends();
    ended.push({ id, goal });
    await page.getByRole("row", { name: `${goal} green` }).waitFor();
  }
  const list = await page.evaluate(() => window.seen);
  const lags: number[] = [];
  for (const { id, goal } of ended) {
    const end = (await events(host, id)).find((event) => event.type === "ended")!;
    const shown = list.find(([, text]) => text.includes(`${goal} green`));
    if (shown) lags.push(shown[0] - end.at);
  }
  say("the list: ends seen", lags.length, `of ${ENDED}`);
  say("the list: median", quantile(lags, 0.5), "ms");
  say("the list: p95", quantile(lags, 0.95), "ms", 150);
  await typing.stop();
});
