import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { extname } from "node:path";
import type { Browser, BrowserContext, Page, Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { launch } from "./browser";

export interface Visit {
  browser: Browser;
  page: Page;
  /** Another reader, who shares no cookie with the first. */
  another: () => Promise<Page>;
}

const VIEWPORT = { width: 1280, height: 800 };

/** A browser for a file's tests, with a page for each, that has nothing to complain of, ever. */
export function visits(): Visit {
  const visit = {} as Visit;
  let contexts: BrowserContext[] = [];
  let complaints: string[] = [];
  beforeAll(async () => {
    visit.browser = await launch();
  });
  afterAll(() => visit.browser.close());
  visit.another = async () => {
    const context = await visit.browser.newContext({ viewport: VIEWPORT });
    contexts.push(context);
    await pageFor(context);
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    return page;
  };
  beforeEach(async () => {
    [contexts, complaints] = [[], []];
    visit.page = await visit.another();
  });
  afterEach(async () => {
    for (const context of contexts) await context.close();
    expect(complaints).toEqual([]);
  });
  return visit;
}

const isPage = (url: URL) => !/^\/(api|readyz|healthz)/.test(url.pathname);
const KINDS: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** With `PAGE=dist`: the page as `build.sh` has left it, in place of the one in the program. */
export async function pageFor(context: BrowserContext) {
  if (process.env.PAGE === "dist") await context.route(isPage, fromDist);
}

async function fromDist(route: Route) {
  const { pathname } = new URL(route.request().url());
  const name = /^\/(assets\/)?[\w.-]+\.\w+$/.test(pathname) ? pathname : "/index.html";
  const body = readFileSync(new URL(`../dist/page${name}`, import.meta.url));
  await route.fulfill({ body, contentType: KINDS[extname(name)] });
}

/** Not the filters' options, which are the same words. */
export const badge = (page: Page, text: string) =>
  page.locator("main span").filter({ hasText: new RegExp(`^\\s*${text}$`) }).first();

/** Nothing is on its way any more. */
export async function settled(page: Page) {
  await page.locator("main").locator("h1, h2, p").first().waitFor();
  await page.waitForFunction(() => !document.querySelector("[aria-label=Loading]"));
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface AxeResult {
  violations: { id: string; nodes: { html: string }[] }[];
}

/** What axe finds on a page, which must have been opened with `bypassCSP`: ours would refuse its script, as it should. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async (rules) => {
    const { axe } = window as unknown as { axe: { run: (options: object) => Promise<AxeResult> } };
    const { violations } = await axe.run({ runOnly: rules });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ; ").slice(0, 400)}`);
  }, RULES);
}

/** By how many pixels the page is wider than its window. */
export const overhang = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
