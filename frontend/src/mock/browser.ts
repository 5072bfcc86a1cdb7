import { sse } from "msw";
import { setupWorker } from "msw/browser";
import { eventsOf, tasks } from "./data";
import { handlers } from "./handlers";

const WORD_MS = 200;

const streams = [
  sse("*/api/v1/changes", () => undefined),
  sse("*/api/v1/tasks/:id/events", ({ client, params }) => {
    const task = tasks.find((task) => task.id === params.id);
    if (!task) return client.error();
    const send = (event: { id: number; type: string }) =>
      client.send({ id: String(event.id), event: event.type as "message", data: event });
    const told = eventsOf(task);
    told.forEach(send);
    if (task.state !== "running") return;
    const call = task.rounds.length + 1;
    let id = told.length;
    setInterval(() => send({ id: ++id, type: "tokens", task: task.id, at: Date.now(), call, text: `word${id} ` } as never), WORD_MS);
  }),
];

/** Answers in the host's place. */
export const start = () => setupWorker(...streams, ...handlers).start({ onUnhandledRequest: "bypass", quiet: true });
