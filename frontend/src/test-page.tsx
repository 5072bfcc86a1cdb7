import type { ReactNode } from "react";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render } from "@testing-library/react";
import { http, HttpResponse, type RequestHandler } from "msw";
import { setupServer } from "msw/node";
import { createMemoryRouter, RouterProvider } from "react-router";
import { Toaster } from "sonner";
import { afterAll, afterEach, beforeAll, vi } from "vitest";
import type { Role } from "./api/client";
import { held } from "./api/held";
import { handlers } from "./mock/handlers";

/** The mock's host, for the tests of a file; what they put before its answers holds for one test. */
export function mockedHost(...first: RequestHandler[]) {
  const server = setupServer(...first, ...handlers);
  beforeAll(() => {
    vi.stubGlobal("EventSource", class { addEventListener() {} close() {} });
    vi.stubGlobal("ResizeObserver", class { observe() {} unobserve() {} disconnect() {} });
    server.listen({ onUnhandledRequest: "error" });
  });
  afterEach(() => {
    cleanup();
    localStorage.clear();
    server.resetHandlers();
  });
  afterAll(() => server.close());
  return server;
}

/** A page as it is at an address. Returns where the reader is by now, and the way back. */
export function show(path: string, route: string, page: ReactNode) {
  const router = createMemoryRouter(
    [
      { path: route, element: page },
      { path: "*", element: <p>another page</p> },
    ],
    { initialEntries: [path] },
  );
  render(
    <QueryClientProvider client={held({ retry: false })}>
      <RouterProvider router={router} />
      <Toaster />
    </QueryClientProvider>,
  );
  const where = () => router.state.location.pathname + router.state.location.search;
  return Object.assign(where, { back: () => void router.navigate(-1) });
}

export const loggedInAs = (role: Role, more: object = {}) =>
  http.get("*/api/v1/session", () => HttpResponse.json({ needed: true, open: true, name: "ann", role, ...more }));

/** What a route was sent, of all its calls. */
export function sent(method: "post" | "delete", path: string, answer: () => Response, taken: unknown[] = []) {
  const handler = http[method](path, async ({ request }) => {
    const url = new URL(request.url);
    const text = await request.text();
    const isJson = request.headers.get("content-type")?.startsWith("application/json");
    taken.push([url.pathname + url.search, isJson ? (JSON.parse(text) as unknown) : text]);
    return answer();
  });
  return { handler, taken };
}
