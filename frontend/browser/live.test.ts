import { afterAll, beforeAll, expect, test } from "vitest";
import { ADD, Host, submit } from "./host";
import { Model } from "./model";
import { badge, overhang, visits } from "./page";

const visit = visits();
let host: Host;
let model: Model;
beforeAll(async () => {
  model = await Model.start();
  host = await Host.start(model.config);
});
afterAll(async () => {
  model.stop();
  await host.stop();
});

const GOOD = "```python\n# add.py\ndef add(a, b):\n    return a + b\n```\n";

test("tokens and log come as they are made, and a reload or a killed host loses and doubles nothing", async () => {
  const { page } = visit;
  const id = await submit(host, ADD);
  await page.goto(`${host.url}/tasks/${id}`);
  const answer = await model.asked();
  answer.says("```python\n# add.py\ndef add(a, b):\n");
  const pane = page.getByLabel("Answer", { exact: true });
  await pane.getByText("def add(a, b):").waitFor();
  await expect.poll(() => page.title()).toMatch(/^running · /);
  await page.reload();
  await pane.getByText("def add(a, b):").waitFor();

  await host.kill();
  await page.getByText("The connection to the host is lost").waitFor();
  await host.up();
  const anew = await model.asked();
  await page.getByText("The connection to the host is lost").waitFor({ state: "detached" });
  anew.says("```python\n# add.py\nd");
  await pane.getByText("# add.py").waitFor();
  await page.getByRole("tab", { name: "Log" }).click();
  await page.getByText("round 1: build with builder").first().waitFor();
  anew.says("ef add(a, b):\n    return a + b\n```\n");
  anew.ends();
  await badge(page, "green").waitFor({ timeout: 60_000 });
  await page.getByText("ended: green").waitFor();
  expect(await page.getByText("submitted", { exact: true }).count()).toBe(1);
  expect(await page.getByText("ended: green").count()).toBe(1);
  await expect.poll(() => page.locator("#favicon").getAttribute("href")).toBe("/green.svg");
});

test("the list follows by itself, and a running task is cancelled", async () => {
  const { page } = visit;
  const list = await visit.another();
  await list.goto(host.url);
  const id = await submit(host, { ...ADD, goal: "Cancel me" });
  const row = list.getByRole("row").filter({ hasText: "Cancel me" });
  await row.getByText("running").waitFor();
  await page.goto(`${host.url}/tasks/${id}`);
  await model.asked();
  await page.getByRole("button", { name: "Cancel" }).click();
  await badge(page, "cancelled").waitFor({ timeout: 30_000 });
  await expect.poll(() => page.title()).toMatch(/^cancelled · /);
  await row.getByText("cancelled").waitFor();
});

test("a task whose model fails is a dead letter; retried, it goes on, and the page with it", async () => {
  const { page } = visit;
  const id = await submit(host, { ...ADD, goal: "Fail first" });
  (await model.asked()).refuses();
  await page.goto(`${host.url}/tasks/${id}`);
  await badge(page, "model failed").waitFor();
  const workers = await visit.another();
  await workers.goto(`${host.url}/workers`);
  const letters = workers.getByRole("region", { name: "Dead letters" });
  await letters.getByText("Fail first").waitFor();
  await letters.getByText(/The model can't be used/).waitFor();
  await letters.getByRole("button", { name: `Retry ${id.slice(-6)}` }).click();
  await workers.getByText("Back in its queue").waitFor();
  const answer = await model.asked();
  await letters.getByText("Fail first").waitFor({ state: "detached" });
  answer.says(GOOD);
  answer.ends();
  // The page that was open all the time.
  await badge(page, "green").waitFor();
  await page.getByRole("tab", { name: "Log" }).click();
  await page.getByText(/^back in the queue/).waitFor();
  await page.getByText("ended: green").waitFor();
});

test("a queue is paused and resumed, and the list says why nothing moves", async () => {
  const { page } = visit;
  await page.goto(`${host.url}/workers`);
  await page.getByRole("button", { name: "Pause default" }).click();
  await page.getByText("default is paused", { exact: true }).waitFor();
  await submit(host, { ...ADD, goal: "Wait" });
  const list = await visit.another();
  await list.goto(host.url);
  await list.getByText(/1 task waiting in what is paused: default/).waitFor();
  await page.getByRole("button", { name: "Resume default" }).click();
  const answer = await model.asked();
  answer.says(GOOD);
  answer.ends();
  await badge(list, "green").waitFor();
});

test("what strangers write is text, however it looks", async () => {
  const { page } = visit;
  const evil = `<script>alert(1)</script><img src=x onerror=alert(2)> \u202Egnp.exe`;
  const [line, answered] = ["x".repeat(1 << 20), "x".repeat(300_000)];
  const file = "<img src=x onerror=alert(3)>.py";
  const id = await submit(host, {
    goal: `${evil} ${"y".repeat(20_000)} [link](javascript:alert(4))`,
    files: [
      { path: file, content: line },
      {
        path: "test_add.py",
        content: `from add import add\n\ndef test_sum():\n    print(${JSON.stringify(evil)})\n    print("z" * 1000000)\n    assert add(2, 3) == 5, ${JSON.stringify(evil)}\n`,
      },
    ],
    tests: ["test_add.py"],
  });
  await page.goto(`${host.url}/tasks/${id}`);
  const wrong = await model.asked();
  wrong.says(`\`\`\`python\n# add.py\n"""${evil}"""\n# ${answered}\ndef add(a, b):\n    return a - b\n\`\`\`\n`);
  wrong.ends();
  const right = await model.asked();
  right.says(GOOD);
  right.ends();
  await badge(page, "green").waitFor({ timeout: 60_000 });
  const shown: [tab: string, text: RegExp][] = [
    ["Checks", /alert\(1\)/],
    ["Changes", /alert\(1\)|\+/],
    ["Log", /^submitted$/],
    ["Attempts", /alert\(1\)/],
    ["Files", /test_add.py/],
    ["Story", /Timeline/],
  ];
  for (const [tab, text] of shown) {
    await page.getByRole("tab", { name: tab }).click();
    await page.getByRole("tabpanel").getByText(text).filter({ visible: true }).first().waitFor();
    expect(await page.locator("main script, main img, main a[href^=javascript]").count()).toBe(0);
    expect(await overhang(page)).toBeLessThanOrEqual(0);
  }
  await page.getByRole("button", { name: "The whole goal" }).click();
  await page.getByRole("tab", { name: "Files" }).click();
  await page.getByRole("button", { name: file }).click();
  await page.getByRole("region", { name: `Content of ${file}` }).waitFor();

  const words = encodeURIComponent(evil);
  for (const path of [`/?text=${words}&plugin=${words}&pipeline=${words}&since=${words}`, `/tasks/${words}`, `/compare?left=${words}&right=${id}`]) {
    await page.goto(host.url + path);
    await page.locator("main").getByText(/No task is like that|is not|There is no|no task/i).first().waitFor();
    expect(await page.locator("main script, main img").count()).toBe(0);
  }
  await page.goto(host.url);
  await page.getByText("<script>alert(1)</script>").first().waitFor();
  expect(await overhang(page)).toBeLessThanOrEqual(0);
});
