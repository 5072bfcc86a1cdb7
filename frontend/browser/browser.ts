import { chromium, type Browser } from "playwright-core";

/** Debian's; `.ci/setup.sh` installs it. */
const CHROMIUM = process.env.AIAGENT_CHROMIUM ?? "/usr/bin/chromium";

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
