import { get, type ClientRequest } from "node:http";
import { test } from "vitest";
import { Host } from "../browser/host";
import { Model } from "../browser/model";
import { quantile, say, sleep, usage } from "./figures";
import { typingTasks, WORKER } from "./typing";

const RUNNING = 50;
const STREAMS = 500;
const WATCHED_MS = 20_000;

/** Follows a task; says how old each event was when it came. */
function follow(host: Host, id: string, took: (age: number) => void): Promise<ClientRequest> {
  return new Promise((open, fail) => {
    const request = get(`${host.url}/api/v1/tasks/${id}/events`, (response) => {
      response.setEncoding("utf8");
      let rest = "";
      response.on("data", (text: string) => {
        const now = Date.now();
        const messages = (rest + text).split("\n\n");
        rest = messages.pop()!;
        for (const message of messages) {
          const at = /"at":(\d+)/.exec(message)?.[1];
          if (at) took(now - Number(at));
        }
      });
      response.on("error", () => undefined);
      open(request);
    });
    request.on("error", fail);
  });
}

test(`${STREAMS} open event streams, ${RUNNING} tasks running`, async () => {
  const model = await Model.start();
  const host = await Host.start(WORKER + model.config);
  const spell = async (what: string) => {
    const before = usage(host.pid);
    await sleep(WATCHED_MS);
    const after = usage(host.pid);
    say(`${what}: memory`, after.mib, "MiB");
    say(`${what}: processor`, (100 * (after.cpu - before.cpu)) / (WATCHED_MS / 1000), "% of one core");
    return after.mib;
  };
  try {
    const typing = await typingTasks(host, model, RUNNING);
    const bare = await spell("no stream");
    let ages: number[] = [];
    const open = await Promise.all(
      Array.from({ length: STREAMS }, (_, n) => follow(host, typing.ids[n % RUNNING]!, (age) => ages.push(age))),
    );
    await sleep(2_000);
    ages = [];
    const full = await spell(`${STREAMS} streams`);
    say("per stream", ((full - bare) * 1024) / STREAMS, "KiB");
    say("messages per second", ages.length / (WATCHED_MS / 1000), "");
    say("an event's age when it came: p95", quantile(ages, 0.95), "ms", 150);
    for (const request of open) {
      request.on("error", () => undefined);
      request.destroy();
    }
    await typing.stop();
    const more = await Promise.all(Array.from({ length: STREAMS }, () => changes(host)));
    await spell(`${STREAMS} streams of changes, nothing running`);
    for (const request of more) request.destroy();
  } finally {
    await host.stop();
    model.stop();
  }
});

const changes = (host: Host) =>
  new Promise<ClientRequest>((open) => {
    const request = get(`${host.url}/api/v1/changes`, (response) => {
      response.resume();
      response.on("error", () => undefined);
      open(request);
    });
    request.on("error", () => undefined);
  });
