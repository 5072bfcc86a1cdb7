import { expect, test } from "vitest";
import { filterAt, moves, wishOf } from "./filter";

const NOW = Date.UTC(2026, 10, 30, 12);

test.each([
  ["", {}],
  ["state=running&text=%3Cb%3E&unknown=1", { state: "running", text: "<b>" }],
  ["since=1h", { since: NOW - 3_600_000 }],
  ["since=2026-11-30T08:00:00Z&until=2026-11-30T09:00:00Z", { since: NOW - 4 * 3_600_000, until: NOW - 3 * 3_600_000 }],
  ["since=rubbish", {}],
  ["dead=true&parent=01J", { dead: true, parent: "01J" }],
  ["dead=false", {}],
])("%j", (query, filter) => expect(filterAt(wishOf(new URLSearchParams(query)), NOW)).toEqual(filter));

test("the last hour is the last hour whenever it is asked for, and one wish meanwhile", () => {
  const wish = wishOf(new URLSearchParams("since=1h"));
  expect([NOW, NOW + 60_000].map((now) => filterAt(wish, now).since)).toEqual([NOW - 3_600_000, NOW - 3_540_000]);
  expect([wish, wishOf(new URLSearchParams("since=2026-11-30T08:00")), {}].map(moves)).toEqual([true, false, false]);
});
