import { expect, test } from "vitest";
import { readable } from "./asked";

const entry = (request: unknown, answer: unknown) =>
  readable({ index: 0, kind: "model", asked: "sha256:0", request: JSON.stringify(request), answer: JSON.stringify(answer) });

test("messages are read one by one, and an answer as text, with one list of figures", () => {
  const usage = { input_tokens: 9, output_tokens: 5 };
  const read = entry(
    { messages: [{ role: "system", content: "Write code." }, { role: "user", content: "Now." }], temperature: 0.8 },
    { result: { Ok: { text: "done", usage } }, wall_ms: 2 },
  );
  expect(read.asked.map(({ title }) => title)).toEqual(["system", "user", "settings"]);
  expect(read.answered).toEqual([
    { title: "Answer", text: "done" },
    { title: "figures", text: JSON.stringify({ usage, wall_ms: 2 }, null, 2) },
  ]);
});

test("what is of no known form is shown as it is", () => {
  const read = entry("a command", { result: { Err: "no such model" }, wall_ms: 1 });
  expect(read.asked).toEqual([{ title: "Request", text: "a command" }]);
  expect(read.answered.map(({ title, text }) => [title, text.split("\n")[0]])).toEqual([
    ["Error", "no such model"],
    ["figures", "{"],
  ]);
});
