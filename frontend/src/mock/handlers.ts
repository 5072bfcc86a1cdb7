import { http, HttpResponse } from "msw";
import { packed } from "./archive";
import * as data from "./data";

const unknown = (detail: string, status = 404) =>
  HttpResponse.json({ type: "about:blank", title: "", status, detail }, { status });

const found = (id: unknown) => data.tasks.find((task) => task.id === id);

/** A host of a few tasks. What is submitted is accepted, and is the first of them. */
export const handlers = [
  http.get("*/api/v1/session", () =>
    HttpResponse.json({ needed: false, open: true, name: "local", role: "administrator", may_change_plugins: true }),
  ),
  http.get("*/api/v1/about", () => HttpResponse.json(data.about)),
  http.get("*/api/v1/samples", () => HttpResponse.json(data.samples)),
  http.get("*/api/v1/pipelines", () =>
    HttpResponse.json({ default: "default", pipelines: [data.pipeline, { ...data.pipeline, name: "short", max_rounds: 1 }] }),
  ),
  http.get("*/api/v1/plugins", () => HttpResponse.json(data.plugins)),
  http.get("*/api/v1/workers", () => HttpResponse.json({ workers: data.workers() })),
  http.get("*/api/v1/queues", () => HttpResponse.json({ tasks: stats(), queues: data.queues })),
  http.post("*/api/v1/queues/:name/:deed", ({ params }) => {
    const queue = data.queues.find((queue) => queue.name === params.name);
    if (queue) queue.paused = params.deed === "pause";
    return HttpResponse.json({ name: params.name, paused: params.deed === "pause" });
  }),
  http.get("*/api/v1/overview", ({ request }) =>
    HttpResponse.json({ days: data.overview(Number(new URL(request.url).searchParams.get("days") ?? 14)), truncated: false }),
  ),
  http.get("*/api/v1/audit", () => HttpResponse.json({ entries: data.audit() })),
  http.post("*/api/v1/plugins", () => HttpResponse.json({ file: "new.wasm", digest: data.plugins.loaded[0]!.digest }, { status: 201 })),
  http.post("*/api/v1/plugins/:file/allow", () => HttpResponse.json({})),
  http.delete("*/api/v1/plugins/:file", () => new HttpResponse(null, { status: 204 })),
  http.get("*/api/v1/tasks/count", () => HttpResponse.json({ count: data.tasks.length, exact: true })),
  http.post("*/api/v1/tasks/bulk/:deed", () =>
    HttpResponse.json({ matched: data.tasks.length, done: data.tasks.length, refused: [] }),
  ),
  http.get("*/api/v1/tasks", ({ request }) => {
    const asked = new URL(request.url).searchParams;
    const tasks = data.tasks
      .map(data.summary)
      .filter(
        (task) =>
          (!asked.get("state") || task.state === asked.get("state")) &&
          (!asked.get("outcome") || task.reason?.kind === asked.get("outcome")) &&
          (!asked.get("dead") || DEAD.includes(task.reason?.kind ?? "")) &&
          (!asked.get("parent") || task.parent === asked.get("parent")) &&
          task.goal.toLowerCase().includes((asked.get("text") ?? "").toLowerCase()),
      );
    return HttpResponse.json({ tasks });
  }),
  http.post("*/api/v1/tasks", () => accepted()),
  http.post("*/api/v1/tasks/:id/again", () => accepted()),
  http.post("*/api/v1/tasks/:id/cancel", () => HttpResponse.json({ state: "requested" })),
  http.post("*/api/v1/tasks/:id/requeue", () => HttpResponse.json({ state: "queued" }, { status: 202 })),
  http.delete("*/api/v1/tasks/:id", () => new HttpResponse(null, { status: 204 })),
  http.get("*/api/v1/tasks/:id/diff", () => HttpResponse.text(data.PATCH)),
  http.get("*/api/v1/tasks/:id/archive", async () => HttpResponse.arrayBuffer(await packed(data.files))),
  http.get("*/api/v1/tasks/:id/journal", () => HttpResponse.json({ steps: data.journal })),
  http.get("*/api/v1/tasks/:id", ({ params }) => {
    const task = found(params.id);
    return task ? HttpResponse.json(task) : unknown(`there is no task ${String(params.id)}`);
  }),
];

const DEAD = ["crashed", "step-failed", "model-failed"];

function stats() {
  const count = (state: string) => data.tasks.filter((task) => task.state === state).length;
  const waits = data.tasks.find((task) => task.state === "queued")?.submitted_at;
  return { queued: count("queued"), running: count("running"), ended: count("ended"), oldest_queued_at: waits };
}

function accepted() {
  const { id } = data.tasks[0]!;
  const url = `/api/v1/tasks/${id}`;
  return HttpResponse.json({ id, url, events: `${url}/events`, notes: [] }, { status: 202 });
}
