import { afterAll, beforeAll, test } from "vitest";
import { launch } from "../browser/browser";
import { ADD, Host, submitMany } from "../browser/host";
import { quantile, say } from "./figures";

const TASKS = Number(process.env.TASKS ?? 100_000);
const ASKED = 100;

let host: Host;
beforeAll(async () => {
  host = await Host.start(`role = "dashboard"\n`);
  const from = performance.now();
  await submitMany(host, TASKS, (n) => ({ ...ADD, goal: `Task ${n}: ${ADD.goal}` }));
  say("stored", TASKS, "tasks");
  say("submitted per second", TASKS / ((performance.now() - from) / 1000), "");
});
afterAll(() => host.stop());

const FIRST_PAGES = {
  "no filter": "",
  "by state": "&state=queued",
  "a text of one task": `&text=Task ${Math.floor(TASKS / 3)}:`,
  "a text of no task": "&text=nothing like it",
};

test(`the first page of ${TASKS} tasks, from the API`, async () => {
  for (const [name, filter] of Object.entries(FIRST_PAGES)) {
    const times: number[] = [];
    for (let n = 0; n < ASKED; n++) {
      const from = performance.now();
      await (await fetch(`${host.url}/api/v1/tasks?limit=50${filter}`)).text();
      times.push(performance.now() - from);
    }
    say(`${name}: median`, quantile(times, 0.5), "ms");
    say(`${name}: p95`, quantile(times, 0.95), "ms", 100);
  }
});

test("and on the page", async () => {
  const browser = await launch();
  const page = await browser.newPage();
  const from = performance.now();
  await page.goto(host.url);
  await page.getByRole("row").nth(50).waitFor();
  say("from the address to the rows", performance.now() - from, "ms", 1000);
  await browser.close();
});
