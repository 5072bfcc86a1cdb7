import { expect, test } from "vitest";
import { filterOf } from "./useTaskFilter";

const NOW = Date.UTC(2026, 10, 30, 12);

test.each([
  ["", {}],
  ["state=running&text=%3Cb%3E&unknown=1", { state: "running", text: "<b>" }],
  ["since=1h", { since: NOW - 3_600_000 }],
  ["since=2026-11-30T08:00:00Z&until=2026-11-30T09:00:00Z", { since: NOW - 4 * 3_600_000, until: NOW - 3 * 3_600_000 }],
  ["since=rubbish", {}],
  ["dead=true&parent=01J", { dead: true, parent: "01J" }],
  ["dead=false", {}],
])("%j", (query, filter) => expect(filterOf(new URLSearchParams(query), NOW)).toEqual(filter));
