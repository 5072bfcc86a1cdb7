import { expect, test } from "vitest";
import { plain, spans } from "./ansi";

test.each([
  ["as it is", [{ text: "as it is" }], "as it is"],
  ["\u001b[31mred\u001b[0m, \u001b[1mbold", [{ text: "red", colour: "red" }, { text: ", " }, { text: "bold", bold: true }], "red, bold"],
  ["\u001b[92;41mbright\u001b[K\u001b[2J", [{ text: "bright", colour: "green" }], "bright"],
  ["\u001b[38;5;200m<b>\u001b[39m", [{ text: "<b>" }], "<b>"],
])("%j", (text, expected, bare) => {
  const found = spans(text).map((span) => Object.fromEntries(Object.entries(span).filter(([, value]) => value)));
  expect(found).toEqual(expected);
  expect(plain(text)).toBe(bare);
});
