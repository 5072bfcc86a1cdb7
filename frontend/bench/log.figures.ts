import { test } from "vitest";
import { launch } from "../browser/browser";
import { events, Host } from "../browser/host";
import { LONG_CONFIG, longTask } from "../browser/long";
import { Model } from "../browser/model";
import { quantile, say } from "./figures";

test("scrolling through a log of 100,000 lines", async () => {
  const model = await Model.start();
  const host = await Host.start(model.config + LONG_CONFIG);
  const began = performance.now();
  const id = await longTask(host, model);
  say("made in", (performance.now() - began) / 1000, "s");
  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const from = performance.now();
  await page.goto(`${host.url}/tasks/${id}?tab=log`);
  await page.getByText("ended: budget").waitFor({ timeout: 120_000 });
  say("events", (await events(host, id)).length, "");
  say("from the address to the last line", performance.now() - from, "ms");
  const frames = await page.evaluate(async () => {
    const pane = document.querySelector<HTMLElement>("[aria-label=Lines]")!;
    pane.scrollTop = 0;
    const times: number[] = [];
    const frame = () => new Promise<number>((done) => requestAnimationFrame(done));
    // As a quick hand on a wheel, and then as one that drags the bar from end to end.
    for (const [steps, pixels] of [
      [400, 300],
      [200, pane.scrollHeight / 200],
    ] as const) {
      let last = await frame();
      for (let step = 0; step < steps; step++) {
        pane.scrollTop += pixels;
        const now = await frame();
        times.push(now - last);
        last = now;
      }
    }
    return times;
  });
  say("frames", frames.length, "");
  say("frame: median", quantile(frames, 0.5), "ms");
  say("frame: p99", quantile(frames, 0.99), "ms");
  say("frame: longest", Math.max(...frames), "ms", 50);
  say("frames over 50 ms", frames.filter((ms) => ms > 50).length, "", 0);
  await browser.close();
  await host.stop();
  model.stop();
});
