import { configure } from "@testing-library/react";

// What jsdom lacks and the page uses.
globalThis.matchMedia ??= (query) =>
  ({ matches: false, media: query, addEventListener() {}, removeEventListener() {} }) as unknown as MediaQueryList;

// Node's Request takes no AbortSignal of jsdom's; no test aborts.
const NodeRequest = globalThis.Request;
globalThis.Request = class extends NodeRequest {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(input, { ...init, signal: null });
  }
};

if (typeof window !== "undefined") {
  window.scrollTo = () => undefined;
  Element.prototype.scrollIntoView ??= () => undefined;
}

// As with `testTimeout`: what a test waits for comes, if late.
configure({ asyncUtilTimeout: 10_000 });
