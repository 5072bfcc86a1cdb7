import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { MemoryRouter } from "react-router";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { handlers } from "../mock/handlers";
import { Tasks } from "./Tasks";

const stats = { queued: 0, running: 0, ended: 0, oldest_queued_at: null as number | null };

/** The mock's host, with nothing done yet. */
const server = setupServer(
  http.get("*/api/v1/tasks", () => HttpResponse.json({ tasks: [] })),
  http.get("*/readyz", () => HttpResponse.json({ status: "ready", plugins: 1, tasks: stats })),
  ...handlers,
);

beforeAll(() => {
  vi.stubGlobal("EventSource", class { addEventListener() {} close() {} });
  server.listen({ onUnhandledRequest: "error" });
});
afterEach(() => {
  cleanup();
  server.resetHandlers();
});
afterAll(() => server.close());

function show(path = "/") {
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <MemoryRouter initialEntries={[path]}>
        <Tasks />
      </MemoryRouter>
    </QueryClientProvider>,
  );
}

test("an empty store says what a task is and how to submit one", async () => {
  show();
  expect(await screen.findByText("No task yet")).toBeTruthy();
  expect(screen.getByRole("link", { name: "Submit one, or try a sample" }).getAttribute("href")).toBe("/submit");
});

test("a filter that finds nothing can be cleared", async () => {
  show("/?state=running");
  expect(await screen.findByRole("button", { name: "Clear the filters" })).toBeTruthy();
});

test("tasks that nobody takes are pointed out", async () => {
  const waiting = { ...stats, queued: 3, oldest_queued_at: Date.now() - 60_000 };
  server.use(http.get("*/readyz", () => HttpResponse.json({ status: "ready", plugins: 1, tasks: waiting })));
  show();
  expect(await screen.findByText(/no worker has taken a task/)).toBeTruthy();
});

test("a host without a builder says so", async () => {
  server.use(http.get("*/api/v1/plugins", () => HttpResponse.json({ generation: 1, loaded: [], refused: [] })));
  show();
  expect(await screen.findByText(/No builder is loaded/)).toBeTruthy();
});

test("a host that refuses says why, in its own words", async () => {
  server.use(http.get("*/api/v1/tasks", () => HttpResponse.json({ detail: "the store sleeps" }, { status: 503 })));
  show();
  expect(await screen.findByText(/the store sleeps/, {}, { timeout: 5000 })).toBeTruthy();
});
