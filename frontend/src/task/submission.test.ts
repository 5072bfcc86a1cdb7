import { expect, test } from "vitest";
import { EMPTY, type Draft } from "../hooks/useDraft";
import { looksLikeTest } from "./files";
import { bodyOf, commandOf, curlOf } from "./submission";

const draft: Draft = {
  ...EMPTY,
  goal: "Don't fail",
  files: [
    { path: "a.py", content: "x = '1'\n", isTest: false },
    { path: "test_a.py", content: "", isTest: true },
  ],
  minutes: "1.5",
};

test("what is left empty is left to the host", () => {
  expect(bodyOf(draft)).toEqual({
    goal: "Don't fail",
    pipeline: undefined,
    files: [
      { path: "a.py", content: "x = '1'\n" },
      { path: "test_a.py", content: "" },
    ],
    tests: ["test_a.py"],
    budget: { rounds: undefined, tokens: undefined, cost: undefined, wall_s: 90 },
  });
});

test("commands are quoted for a shell", () => {
  expect(commandOf(draft, "http://h")).toContain("submit 'Don'\\''t fail' \\\n  --dir . \\\n  --tests 'test_a.py'");
  expect(curlOf(draft, "http://h")).toContain("Don'\\''t fail");
});

test.each([
  ["test_a.py", true],
  ["pkg/tests/a.py", true],
  ["a.test.ts", true],
  ["a_test.go", true],
  ["attest.py", false],
  ["a.py", false],
])("%s is a test: %s", (path, is) => expect(looksLikeTest(path)).toBe(is));
