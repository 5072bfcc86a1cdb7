import { http, HttpResponse } from "msw";
import * as data from "./data";

const unknown = (detail: string, status = 404) =>
  HttpResponse.json({ type: "about:blank", title: "", status, detail }, { status });

const found = (id: unknown) => data.tasks.find((task) => task.id === id);

/** A host of a few tasks. What is submitted is accepted, and is the first of them. */
export const handlers = [
  http.get("*/api/v1/session", () => HttpResponse.json({ needed: false, open: true })),
  http.get("*/api/v1/about", () => HttpResponse.json(data.about)),
  http.get("*/api/v1/samples", () => HttpResponse.json(data.samples)),
  http.get("*/api/v1/pipelines", () =>
    HttpResponse.json({ default: "default", pipelines: [data.pipeline, { ...data.pipeline, name: "short", max_rounds: 1 }] }),
  ),
  http.get("*/api/v1/plugins", () => HttpResponse.json(data.plugins)),
  http.get("*/readyz", () => {
    const count = (state: string) => data.tasks.filter((task) => task.state === state).length;
    const tasks = { queued: count("queued"), running: count("running"), ended: count("ended") };
    return HttpResponse.json({ status: "ready", plugins: 4, tasks });
  }),
  http.get("*/api/v1/tasks", ({ request }) => {
    const asked = new URL(request.url).searchParams;
    const tasks = data.tasks
      .map(data.summary)
      .filter(
        (task) =>
          (!asked.get("state") || task.state === asked.get("state")) &&
          (!asked.get("outcome") || task.reason?.kind === asked.get("outcome")) &&
          (!asked.get("parent") || task.parent === asked.get("parent")) &&
          task.goal.toLowerCase().includes((asked.get("text") ?? "").toLowerCase()),
      );
    return HttpResponse.json({ tasks });
  }),
  http.post("*/api/v1/tasks", () => accepted()),
  http.post("*/api/v1/tasks/:id/again", () => accepted()),
  http.post("*/api/v1/tasks/:id/cancel", () => HttpResponse.json({ state: "requested" })),
  http.get("*/api/v1/tasks/:id/diff", () => HttpResponse.text(data.PATCH)),
  http.get("*/api/v1/tasks/:id/journal", () => HttpResponse.json({ steps: [] })),
  http.get("*/api/v1/tasks/:id", ({ params }) => {
    const task = found(params.id);
    return task ? HttpResponse.json(task) : unknown(`there is no task ${String(params.id)}`);
  }),
];

function accepted() {
  const { id } = data.tasks[0]!;
  const url = `/api/v1/tasks/${id}`;
  return HttpResponse.json({ id, url, events: `${url}/events`, notes: [] }, { status: 202 });
}
