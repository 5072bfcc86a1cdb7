import { expect, test } from "vitest";
import { EMPTY, type Draft } from "../hooks/useDraft";
import { looksLikeTest } from "./files";
import { bodyOf, commandOf, curlOf, formOf } from "./submission";

const draft: Draft = {
  ...EMPTY,
  goal: "Don't fail",
  files: [
    { path: "a.py", content: "x = '1'\n", isTest: false },
    { path: "test_a.py", content: "", isTest: true },
  ],
  minutes: "1.5",
};
const archive = new File(["bytes"], "it's.tar.gz");
const packed: Draft = {
  ...draft,
  files: [],
  pipeline: "short",
  tests: "test_a.py\n\n tests/b.py ",
  protected: "ci/**\n*.lock",
  steps: { model: "large", fixer: "" },
  priority: "9",
};

test("what is left empty is left to the host", () => {
  expect(bodyOf(draft)).toEqual({
    goal: "Don't fail",
    files: [
      { path: "a.py", content: "x = '1'\n" },
      { path: "test_a.py", content: "" },
    ],
    tests: ["test_a.py"],
    budget: { wall_s: 90 },
  });
  expect(bodyOf({ ...EMPTY, goal: "x" })).toEqual({ goal: "x", files: [] });
});

test("files of a git repository stay where they are", () => {
  const body = bodyOf({ ...packed, source: "git", gitPath: " /srv/repo ", gitRevision: "" });
  expect(body).toEqual({
    goal: "Don't fail",
    pipeline: "short",
    git: { path: "/srv/repo" },
    tests: ["test_a.py", "tests/b.py"],
    protected: ["ci/**", "*.lock"],
    steps: { model: "large" },
    budget: { wall_s: 90 },
    place: { priority: 9 },
  });
  const elsewhere = bodyOf({ ...EMPTY, source: "git", gitPath: "https://git.example/x ", gitRevision: "v1" });
  expect(elsewhere.git).toEqual({ url: "https://git.example/x", revision: "v1" });
});

test("an archive goes with the same wishes", () => {
  expect([...formOf(packed, archive)].map(([name, value]) => [name, value instanceof File ? value.name : value])).toEqual([
    ["goal", "Don't fail"],
    ["pipeline", "short"],
    ["tests", "test_a.py"],
    ["tests", "tests/b.py"],
    ["protected", "ci/**"],
    ["protected", "*.lock"],
    ["steps", '{"model":"large"}'],
    ["budget", '{"wall_s":90}'],
    ["place", '{"priority":9}'],
    ["strip", "true"],
    ["archive", "it's.tar.gz"],
  ]);
});

test("commands are quoted for a shell", () => {
  expect(commandOf(draft, "http://h")).toContain("submit 'Don'\\''t fail' \\\n  --dir . \\\n  --tests 'test_a.py'");
  expect(curlOf(draft, "http://h")).toContain("Don'\\''t fail");
  expect(curlOf(packed, "http://h", archive)).toContain("--form-string 'goal=Don'\\''t fail' \\\n  --form-string 'pipeline=short'");
  expect(curlOf(packed, "http://h", archive)).toContain("-F 'archive=@it'\\''s.tar.gz'");
});

test("the command line has words for all of it", () => {
  expect(commandOf(packed, "http://h", archive).split(" \\\n  ")).toEqual([
    "aiagent-host submit 'Don'\\''t fail'",
    "--dir 'it'\\''s.tar.gz'",
    "--tests 'test_a.py' 'tests/b.py'",
    "--pipeline 'short'",
    "--model 'large'",
    "--protect 'ci/**' '*.lock'",
    "--minutes '1.5'",
    "--priority '9'",
    "--server http://h --follow",
  ]);
  const git = commandOf({ ...EMPTY, goal: "x", source: "git", gitPath: "/srv/repo", gitRevision: "v1" }, "http://h");
  expect(git).toContain("--git '/srv/repo' \\\n  --rev 'v1'");
});

test.each([
  ["test_a.py", true],
  ["pkg/tests/a.py", true],
  ["a.test.ts", true],
  ["a_test.go", true],
  ["attest.py", false],
  ["a.py", false],
])("%s is a test: %s", (path, is) => expect(looksLikeTest(path)).toBe(is));
