import type { Schema } from "./client";
import type { paths } from "./schema";

/** What the API is about to have. This file goes when it has it. */
export type Session = Schema["Session"] & { sign_in?: { name: string; url: string } | null };

export interface OverviewDay {
  day: string;
  pipeline: string;
  model?: string | null;
  ended: number;
  green: number;
  input_tokens: number;
  output_tokens: number;
  cost_micros: number;
  unpriced: number;
  to_green_ms_p50?: number | null;
  to_green_ms_p90?: number | null;
}

export type Filter = Omit<NonNullable<paths["/api/v1/tasks"]["get"]["parameters"]["query"]>, "cursor" | "limit">;

export type Deed = "cancel" | "requeue" | "again" | "delete";

export interface BulkBody {
  ids?: string[];
  filter?: Filter;
  expect?: number;
}
export interface BulkReply {
  matched: number;
  done: number;
  refused: { id: string; why: string }[];
}

export interface Steps {
  builder?: string;
  fixer?: string;
  checker?: string;
  model?: string;
}
export type SubmitBody = Schema["SubmitBody"] & { protected?: string[]; git?: { path: string; revision?: string }; steps?: Steps };
export type AgainBody = Schema["AgainBody"] & { protected?: string[]; steps?: Steps };
export type About = Schema["About"] & { git_dirs?: string[] };

type Problem = Schema["Problem"];
type Answers<Code extends number, Body> = {
  responses: { [code in Code]: { headers: Record<string, unknown>; content: { "application/json": Body } } } & {
    404: { headers: Record<string, unknown>; content: { "application/json": Problem } };
  };
};
type None = { parameters: { query?: never; header?: never; path?: never; cookie?: never } };
type Json<Body> = { requestBody: { content: { "application/json": Body } } };

export interface SoonPaths {
  "/api/v1/session": {
    get: Answers<200, Session> & None;
    post: paths["/api/v1/session"]["post"];
    delete: paths["/api/v1/session"]["delete"];
  };
  "/api/v1/about": { get: Answers<200, About> & None };
  "/api/v1/overview": {
    get: Answers<200, { days: OverviewDay[]; truncated: boolean }> & { parameters: { query?: { days?: number } } };
  };
  "/api/v1/tasks/count": { get: Answers<200, { count: number; exact: boolean }> & { parameters: { query?: Filter } } };
  "/api/v1/tasks/bulk/{deed}": { post: Answers<200, BulkReply> & { parameters: { path: { deed: Deed } } } & Json<BulkBody> };
  "/api/v1/tasks/{id}": {
    get: paths["/api/v1/tasks/{id}"]["get"];
    delete: Answers<200, unknown> & { parameters: { path: { id: string } } };
  };
  "/api/v1/tasks": {
    get: paths["/api/v1/tasks"]["get"];
    post: Omit<paths["/api/v1/tasks"]["post"], "requestBody"> & {
      requestBody: { content: { "application/json": SubmitBody; "multipart/form-data": string } };
    };
  };
  "/api/v1/tasks/{id}/again": {
    post: Omit<paths["/api/v1/tasks/{id}/again"]["post"], "requestBody"> & { requestBody: { content: { "application/json": AgainBody } } };
  };
}

export type AllPaths = Omit<paths, keyof SoonPaths> & SoonPaths;
