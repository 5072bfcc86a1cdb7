import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADD, Host, pluginFile } from "./host";
import { Model } from "./model";
import { badge, visits } from "./page";

/** Where a submission is not what its pipeline and this page have ready: a repository, protected files, other parts. */
const visit = visits();
const repositories = mkdtempSync(join(tmpdir(), "aiagent-git-"));
let host: Host;
let model: Model;
beforeAll(async () => {
  const shop = join(repositories, "shop");
  mkdirSync(join(shop, "docs"), { recursive: true });
  const git = (...args: string[]) => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], { cwd: shop });
  git("init", "-q", ".");
  writeFileSync(join(shop, "docs/notes.txt"), "as it was at first\n");
  for (const { path, content } of ADD.files) writeFileSync(join(shop, path), content);
  git("add", ".");
  git("commit", "-qm", "first");
  git("tag", "v1");
  writeFileSync(join(shop, "docs/notes.txt"), "as it is now\n");
  git("commit", "-qam", "second");
  model = await Model.start();
  const config = `${model.config}${model.named("other")}[api]\ngit_dirs = ["${repositories}"]\n`;
  host = await Host.start(config, ["builder", "fixer", "check-python", "adapter-openai"]);
});
afterAll(async () => {
  model.stop();
  await host.stop();
  rmSync(repositories, { recursive: true, force: true });
});

const answers = async (...files: [path: string, content: string][]) => {
  const answer = await model.asked();
  for (const [path, content] of files) answer.says(`\`\`\`\n# ${path}\n${content}\n\`\`\`\n`);
  answer.ends();
};

test("a repository's revision is worked on, and a protected file stays as it is there", async () => {
  const { page } = visit;
  await page.goto(`${host.url}/submit`);
  await page.getByLabel("Goal").fill(ADD.goal);
  await page.getByLabel("A git repository", { exact: true }).check();
  await page.getByLabel("Path", { exact: true }).fill(join(repositories, "shop"));
  await page.getByLabel("Revision").fill("v1");
  await page.getByLabel(/^Tests/).fill("test_add.py");
  await page.getByText(/^More/).click();
  await page.getByLabel("Protected files").fill("docs/**");
  await page.getByRole("button", { name: "Submit", exact: true }).click();
  await answers(["docs/notes.txt", "as the model wants it"], ["add.py", "def add(a, b):\n    return a + b"]);
  await badge(page, "green").waitFor();

  await page.getByRole("tab", { name: "Log" }).click();
  await page.getByText("left out docs/notes.txt: it is protected").waitFor();
  await page.getByRole("region", { name: "The task at a glance" }).getByText("docs/**").waitFor();
  await page.getByRole("tab", { name: "Changes" }).click();
  await page.getByText("1 file,").waitFor();
  await page.getByRole("button", { name: /^add.py/ }).waitFor();
  await page.getByRole("tab", { name: "Files" }).click();
  await page.getByRole("button", { name: /docs\/notes.txt/ }).click();
  await page.getByRole("region", { name: "Content of docs/notes.txt" }).getByText("as it was at first").waitFor();
});

test("other parts for one submission, and what they wrote against what the usual ones did", async () => {
  const { page } = visit;
  cpSync(pluginFile("builder"), join(host.dir, "plugins/second.wasm"));
  const loaded = async () => await (await fetch(`${host.url}/api/v1/plugins`)).text();
  await expect.poll(loaded).toContain('"second"');
  const { tasks } = (await (await fetch(`${host.url}/api/v1/tasks`)).json()) as { tasks: { id: string }[] };
  const usual = tasks[0]!.id;

  await page.goto(`${host.url}/tasks/${usual}`);
  await page.getByRole("button", { name: "Run again…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Builder").selectOption("second");
  await dialog.getByLabel("Model").selectOption("other");
  await dialog.getByRole("button", { name: "Run again", exact: true }).click();
  await page.waitForURL((url) => !url.pathname.endsWith(usual));
  await answers(["add.py", "def add(a, b):\n    return sum((a, b))"]);
  await badge(page, "green").waitFor();
  const glance = page.getByRole("region", { name: "The task at a glance" });
  await glance.getByText("default, builder second, model other").waitFor();

  await page.getByRole("link", { name: "compare" }).click();
  await page.getByRole("row", { name: /^Model default other$/ }).waitFor();
  const between = page.getByRole("group", { name: "Changes of add.py" });
  await between.getByText("return a + b").waitFor();
  await between.getByText("return sum((a, b))").waitFor();
  await page.getByLabel("From the left").selectOption("the submission");
  await between.getByText("return a + b").waitFor({ state: "detached" });
  await page.getByRole("tab", { name: "What each changed" }).click();
  const right = page.getByRole("region", { name: "Changes of the right task" });
  await right.getByText("return sum((a, b))").waitFor();
  await right.getByLabel("View").selectOption("side by side");
  await expect.poll(() => page.url()).toContain("right-view=split");
});
