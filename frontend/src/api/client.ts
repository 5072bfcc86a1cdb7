import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schema = components["schemas"];
export type Task = Schema["Task"];
export type TaskSummary = Schema["TaskSummary"];
export type TaskEvent = Schema["Event"];
export type Report = Schema["Report"];
export type Round = Schema["Round"];
export type Role = Schema["Role"];
export type AuditEntry = Schema["AuditEntry"];
export type Session = Schema["Session"];
export type OverviewDay = Schema["Day"];
export type Steps = Schema["Steps"];
export type SubmitBody = Schema["SubmitBody"];
export type AgainBody = Schema["AgainBody"];
export type BulkBody = Schema["BulkBody"];
export type BulkReply = Schema["BulkReply"];
/** What can be done to many tasks at once. */
export type Deed = paths["/api/v1/tasks/bulk/{deed}"]["post"]["parameters"]["path"]["deed"];
export type Reason = Schema["Reason"];

/** An answer of the host that is no success, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The rest of what the host says about it. */
    readonly problem: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

export const client = createClient<paths>({
  baseUrl: location.origin,
  credentials: "same-origin",
  // Looked up with each request: tests put another one in its place.
  fetch: (request) => globalThis.fetch(request),
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a success; throws an {@link ApiError} for everything else. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  let settled: Answer<T>;
  try {
    settled = await answer;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "The host does not answer. It may be restarting: try again in a moment.");
  }
  const { data, error, response } = settled;
  if (response.ok) return data as T;
  const problem = (typeof error === "object" ? error : undefined) as { detail?: string } | undefined;
  throw new ApiError(response.status, problem?.detail ?? `The host answered with status ${response.status}.`, { ...problem });
}
