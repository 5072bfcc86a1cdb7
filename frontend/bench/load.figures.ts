import { test } from "vitest";
import { launch } from "../browser/browser";
import { ADD, Host, REPLAY, submitMany } from "../browser/host";
import { quantile, say } from "./figures";

const RUNS = 7;

test("the first load, nothing cached", async () => {
  const host = await Host.start(REPLAY);
  const browser = await launch();
  await submitMany(host, 30, () => ADD);
  const [first, rows]: [number[], number[]] = [[], []];
  let script = 0;
  for (let run = 0; run < RUNS; run++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(host.url, { waitUntil: "commit" });
    await page.getByRole("row").nth(10).waitFor();
    const seen = await page.evaluate(() => {
      const files = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
      const scripts = files.filter((file) => /\.js$/.test(new URL(file.name).pathname));
      return {
        bytes: scripts.reduce((sum, file) => sum + file.encodedBodySize, 0),
        paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
        now: performance.now(),
      };
    });
    script = seen.bytes;
    first.push(seen.paint);
    rows.push(seen.now);
    await context.close();
  }
  say("script, compressed", script / 1000, "kB", 200);
  say("first contentful paint: median", quantile(first, 0.5), "ms", 1000);
  say("the table with its rows: median", quantile(rows, 0.5), "ms", 1000);
  await browser.close();
  await host.stop();
});
