import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gunzipped, namesIn, untarred } from "./archive";

const LONG = `${"deep/".repeat(30)}ünï.py`;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "archive-"));
  mkdirSync(join(folder, "top", "deep/".repeat(30)), { recursive: true });
  writeFileSync(join(folder, "top/a.py"), "x = 1\n", { mode: 0o755 });
  writeFileSync(join(folder, "top", LONG), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

const packed = (...command: string[]) => {
  const [program, ...args] = command;
  execFileSync(program!, args, { cwd: folder });
  const bytes = readFileSync(join(folder, args.find((arg) => arg.startsWith("out"))!));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
};

test.each(["gnu", "pax", "ustar"])("a tar archive of the format %s", async (format) => {
  const bytes = packed("tar", "czf", `out-${format}.tar.gz`, `--format=${format}`, "--sort=name", "-C", "top", "a.py", "deep");
  const files = untarred(await gunzipped(bytes));
  expect(files.map(({ path, executable }) => [path, executable])).toEqual([
    ["a.py", true],
    [LONG, false],
  ]);
  expect(new TextDecoder().decode(files[0]?.bytes)).toBe("x = 1\n");
});

test("an archive's names are without its one top folder", async () => {
  const tar = packed("tar", "cf", "out.tar", "--sort=name", "top");
  expect(await namesIn(new File([tar], "out.tar"))).toEqual(["a.py", LONG]);
  const zip = packed("python3", "-m", "zipfile", "-c", "out.zip", "top");
  expect((await namesIn(new File([zip], "out.zip"))).toSorted()).toEqual(["a.py", LONG]);
});

test("what is no archive has no names", async () => {
  expect(await namesIn(new File(["no"], "a.zip"))).toEqual([]);
  expect(await namesIn(new File([""], "a.tar"))).toEqual([]);
  await expect(namesIn(new File(["no"], "a.tgz"))).rejects.toThrow();
});
