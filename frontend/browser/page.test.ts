import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Host, REPLAY } from "./host";
import { badge, overhang, settled, violations, visits } from "./page";

const visit = visits();
let host: Host;
beforeAll(async () => {
  host = await Host.start(REPLAY);
});
afterAll(() => host.stop());

test("a first-time user submits a sample, reads the diff, and runs it again another way", async () => {
  const { page } = visit;
  await page.goto(host.url);
  await page.getByRole("link", { name: "Submit one, or try a sample" }).click();
  await page.getByLabel("Begin with a sample").selectOption("fizz");
  await page.reload();
  await expect.poll(() => page.getByLabel("Goal").inputValue()).toContain("fizz.py");
  await page.getByRole("button", { name: "Submit", exact: true }).click();
  await badge(page, "green").waitFor();
  const first = new URL(page.url()).pathname;

  await page.getByRole("tab", { name: "Checks" }).click();
  await page.getByText("AssertionError").first().waitFor();
  await page.getByRole("button", { name: "Its changes" }).first().click();
  await page.getByText("def fizz(n):").first().waitFor();
  await page.getByRole("tab", { name: "Files" }).click();
  await page.getByRole("button", { name: /test_fizz.py test/ }).click();
  await page.getByRole("region", { name: "Content of test_fizz.py" }).getByText("from fizz import").waitFor();
  await page.getByRole("tab", { name: "Attempts" }).click();
  await page.getByRole("heading", { name: "Step 1: build of round 1 with builder" }).waitFor();
  await page.getByRole("tab", { name: "Log" }).click();
  await page.getByText("ended: green").waitFor();

  await page.getByRole("button", { name: "Run again…" }).click();
  await page.getByLabel("Pipeline").selectOption("short");
  await page.getByRole("dialog").getByLabel("Rounds at most").fill("1");
  await page.getByRole("button", { name: "Run again", exact: true }).click();
  await page.waitForURL((url) => url.pathname !== first);
  await badge(page, "no rounds left").waitFor();
  await page.getByRole("link", { name: "compare" }).click();
  await page.getByRole("heading", { name: "Compare" }).waitFor();
  await badge(page, "green").waitFor();
  await badge(page, "no rounds left").waitFor();
  await page.getByRole("row", { name: /^Pipeline default short$/ }).waitFor();
});

test("filters live in the URL", async () => {
  const { page } = visit;
  await page.goto(`${host.url}/?outcome=not-green`);
  await badge(page, "no rounds left").waitFor();
  await expect.poll(() => page.getByRole("row").count()).toBe(2);
  await page.getByLabel("Any outcome").selectOption("green");
  await badge(page, "green").waitFor();
  await expect.poll(() => page.url()).toContain("outcome=green");
  await page.getByLabel("Any pipeline").selectOption("default");
  await page.getByLabel("Any plugin").selectOption("builder");
  await page.getByLabel("Any model").selectOption("default");
  await page.getByLabel("Any time").selectOption("1h");
  await badge(page, "green").waitFor();
  expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({
    outcome: "green",
    pipeline: "default",
    plugin: "builder",
    model: "default",
    since: "1h",
  });
  const other = await visit.another();
  await other.goto(page.url());
  await badge(other, "green").waitFor();
  await expect.poll(() => other.getByRole("row").count()).toBe(2);
  await page.getByLabel("Search goals and ids").fill("no such goal");
  await page.getByText("No task is like that").waitFor();
  await page.reload();
  await page.getByText("No task is like that").waitFor();
});

test("everything is within reach of the keyboard", async () => {
  const { page } = visit;
  await page.goto(host.url);
  await badge(page, "green").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "detached" });
  await page.keyboard.press("/");
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Search goals and ids");
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.locator("tr[aria-current]").waitFor();
  await page.keyboard.press("x");
  await page.getByText("1 task selected").waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: "Story" }).waitFor();
  await page.keyboard.press("4");
  await page.getByRole("region", { name: "Lines" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await page.getByRole("heading", { name: "Plugins" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("fizz");
  await page.getByRole("option").first().waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: "Story" }).waitFor();
});

test("an archive is taken with the tests in it", async () => {
  const { page } = visit;
  const folder = join(host.dir, "drop");
  mkdirSync(join(folder, "project"), { recursive: true });
  writeFileSync(join(folder, "project/README.md"), "# Project\n");
  writeFileSync(join(folder, "project/test_it.py"), "def test_it():\n    assert True\n");
  execFileSync("tar", ["czf", "project.tar.gz", "project"], { cwd: folder });
  await page.goto(`${host.url}/submit`);
  await page.getByLabel("Goal").fill("Something with **files**");
  await page.getByLabel("Choose files").setInputFiles(join(folder, "project.tar.gz"));
  await page.getByText("2 files").waitFor();
  await expect.poll(() => page.getByLabel(/^Tests/).inputValue()).toBe("test_it.py");
  await page.getByText("The same from a terminal").click();
  await page.getByLabel("curl command").getByText("archive=@project.tar.gz").waitFor();
  await page.getByRole("button", { name: "Submit", exact: true }).click();
  await page.getByRole("tab", { name: "Files" }).click();
  await page.getByRole("button", { name: /test_it.py test/ }).waitFor();
  await page.getByRole("button", { name: /README.md/ }).waitFor();
});

test("axe finds nothing, on any page, in either theme; no page is wider than a phone", async () => {
  const tasks = (await (await fetch(`${host.url}/api/v1/tasks?pipeline=default&outcome=green`)).json()) as { tasks: { id: string }[] };
  const first = tasks.tasks[0]!.id;
  const again = (await (await fetch(`${host.url}/api/v1/tasks?pipeline=short`)).json()) as { tasks: { id: string }[] };
  const tabs = ["story", "checks", "changes", "log", "attempts", "files"].map((tab) => `/tasks/${first}?tab=${tab}`);
  const compare = `/compare?left=${first}&right=${again.tasks[0]!.id}`;
  const paths = ["/", "/submit", "/plugins", "/workers", "/overview", "/audit", "/nothing-here", compare, `${compare}&show=each`, ...tabs];
  const open = await visit.browser.newContext({ bypassCSP: true });
  const all: Record<string, string[]> = {};
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await open.newPage();
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const path of paths) {
      await page.goto(host.url + path);
      await settled(page);
      const found = await violations(page);
      if (colorScheme === "light") {
        await page.setViewportSize({ width: 360, height: 720 });
        // What is drawn to measure is drawn again a moment after.
        await expect
          .poll(() => overhang(page), { timeout: 3_000 })
          .toBeLessThanOrEqual(0)
          .catch(async () => found.push(`wider than 360 pixels by ${await overhang(page)}`));
        await page.setViewportSize({ width: 1280, height: 800 });
      }
      if (found.length > 0) all[`${colorScheme} ${path}`] = found;
    }
    await page.goto(`${host.url}/tasks/${first}`);
    await page.getByRole("button", { name: "Run again…" }).click();
    await page.getByRole("dialog").waitFor();
    const found = await violations(page);
    if (found.length > 0) all[`${colorScheme} dialog`] = found;
    await page.close();
  }
  await open.close();
  expect(all).toEqual({});
});
