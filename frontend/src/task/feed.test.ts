import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Feed } from "./feed";

/** As a browser's, but driven by hand. */
class Source {
  static opened: Source[] = [];
  readyState = 1;
  onopen = () => undefined;
  onerror = () => undefined;
  private heard = new Map<string, (message: { data: string }) => void>();

  constructor(readonly url: string) {
    Source.opened.push(this);
  }
  addEventListener(type: string, hear: (message: { data: string }) => void) {
    this.heard.set(type, hear);
  }
  close() {
    this.readyState = 2;
  }
  send(type: string, body: object) {
    this.heard.get(type)?.({ data: JSON.stringify({ type, ...body }) });
  }
  fail() {
    this.readyState = 2;
    this.onerror();
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  Source.opened = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function follow(status: () => number = () => 200) {
  const feed = new Feed("T", {
    connect: (url) => new Source(url) as unknown as EventSource,
    probe: () => Promise.resolve(status()),
  });
  const leave = feed.subscribe(() => undefined);
  const [first] = Source.opened;
  first!.onopen();
  return { feed, leave, first: first! };
}

const drawn = () => vi.advanceTimersByTimeAsync(50);
const log = (id: number, message: string) => ({ id, at: 0, level: "info", source: "x", message });

test("a host that restarts is asked again from the last event; nothing is told twice", async () => {
  let status = 503;
  const { feed, first } = follow(() => status);
  first.send("log", log(1, "one"));
  first.fail();
  await drawn();
  expect(feed.getSnapshot().connection).toBe("reconnecting");
  status = 200;
  await vi.advanceTimersByTimeAsync(1_000);
  const second = Source.opened[1]!;
  expect(second.url).toMatch(/after=1$/);
  second.onopen();
  second.send("log", log(1, "one"));
  second.send("log", log(2, "two"));
  await drawn();
  expect(feed.getSnapshot().connection).toBe("live");
  expect(feed.getSnapshot().story.lines.map(({ text }) => text)).toEqual(["one", "two"]);
});

test.each([401, 403, 404, 410])("after %d it stops, and knows why", async (status) => {
  const { feed, first } = follow(() => status);
  first.fail();
  await drawn();
  expect(feed.getSnapshot()).toMatchObject({ connection: "refused", status });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(Source.opened).toHaveLength(1);
});

test("nobody is asked why the stream of a task that has ended is over", async () => {
  const status = vi.fn(() => 200);
  const { feed, first } = follow(status);
  first.send("ended", { id: 1, at: 0, outcome: { reason: { kind: "stuck" }, tree: "" }, spend: {} });
  first.fail();
  await drawn();
  expect(feed.getSnapshot().connection).toBe("ended");
  expect(status).not.toHaveBeenCalled();
});

test("a hidden tab, which draws no frames, still hears what happens", async () => {
  vi.stubGlobal("requestAnimationFrame", () => 1);
  const { feed, first } = follow();
  const heard = vi.fn();
  feed.subscribe(heard);
  first.send("log", log(1, "one"));
  first.send("log", log(2, "two"));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(feed.getSnapshot().story.lines.map(({ text }) => text)).toEqual(["one", "two"]);
  expect(heard).toHaveBeenCalledTimes(1);
});

test("what the host can't go on from is told anew", async () => {
  const { feed, first } = follow();
  first.send("log", log(7, "of another life"));
  first.send("resync", { oldest: 3 });
  first.send("log", log(3, "the oldest kept"));
  await drawn();
  expect(feed.getSnapshot().story.lines.map(({ text }) => text)).toEqual(["what came before is no longer kept", "the oldest kept"]);
});

test("there is one connection, and none when nobody listens or the task has ended", async () => {
  const { feed, leave, first } = follow();
  feed.subscribe(() => undefined)();
  expect(Source.opened).toHaveLength(1);
  leave();
  expect(first.readyState).toBe(2);
  feed.subscribe(() => undefined);
  const second = Source.opened[1]!;
  second.send("ended", { id: 1, at: 0, outcome: { reason: { kind: "stuck" }, tree: "" }, spend: {} });
  // The host closes it, and the browser would connect again.
  second.readyState = 0;
  second.onerror();
  await drawn();
  expect([second.readyState, feed.getSnapshot().connection]).toEqual([2, "ended"]);

  feed.resume();
  const third = Source.opened[2]!;
  expect(third.url).toMatch(/after=1$/);
  third.send("requeued", { id: 2, at: 0, why: "asked for" });
  third.readyState = 0;
  third.onerror();
  await drawn();
  expect(feed.getSnapshot()).toMatchObject({ connection: "reconnecting", story: { ended: false } });
});
