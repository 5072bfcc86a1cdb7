import type { Reason } from "./api/client";

const NUMBER = new Intl.NumberFormat("en");
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (n: number) => NUMBER.format(n);
export const compact = (n: number) => (n < 10_000 ? NUMBER.format(n) : COMPACT.format(n));
export const plural = (n: number, one: string, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** `< 1 ms`, `820 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms > 0 && ms < 1) return "< 1 ms";
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const pair = (big: number, unit: string, small: number, smaller: string) =>
    small ? `${big} ${unit} ${small} ${smaller}` : `${big} ${unit}`;
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  if (seconds < 86_400) return pair(Math.floor(seconds / 3600), "h", Math.floor((seconds % 3600) / 60), "min");
  return pair(Math.floor(seconds / 86_400), "d", Math.floor((seconds % 86_400) / 3600), "h");
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1 << 20) return `${(n / 1024).toFixed(n < 10_240 ? 1 : 0)} KiB`;
  return `${(n / (1 << 20)).toFixed(n < 10 << 20 ? 1 : 0)} MiB`;
}

/** A digest's first figures, as people tell them apart. */
export const digest = (digest: string) => digest.slice(7, 19);

/** In the currency of the operator's price list, which has no name here. */
export function money(micros: number): string {
  const whole = micros / 1e6;
  if (whole === 0) return "0.00";
  return whole < 0.01 ? whole.toFixed(5) : whole < 1 ? whole.toFixed(4) : whole.toFixed(2);
}

export const utc = (ms: number) => new Date(ms).toISOString().replace("T", " ").replace(/Z$/, " UTC");

export function local(ms: number, now = Date.now()): string {
  const at = new Date(ms);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  if (at.toDateString() === new Date(now).toDateString()) return time;
  return `${at.toLocaleDateString([], { month: "short", day: "numeric" })} ${time}`;
}

const LIMITS = { rounds: "rounds", tokens: "tokens", cost: "money", wall: "wall time", compute: "compute time", deadline: "time before its deadline" };

/** An outcome in a few words, and the rest of the story. */
/** How a task may have ended, as one word of the API and in the words of the page. */
export const OUTCOMES: Record<Reason["kind"] | "not-green", string> = {
  green: "green",
  "not-green": "not green",
  budget: "budget spent",
  stuck: "stuck",
  stopped: "stopped by fixer",
  "checks-broken": "checks broken",
  "step-failed": "step failed",
  "model-failed": "model failed",
  cancelled: "cancelled",
  crashed: "crashed",
};

export function reason(reason: Reason): { short: string; long: string; good: boolean } {
  switch (reason.kind) {
    case "green":
      return { short: "green", long: "Every check passed.", good: true };
    case "budget":
      return {
        short: `no ${LIMITS[reason.limit]} left`,
        long: `The budget of ${LIMITS[reason.limit]} is spent. Run it again with a larger one to go further.`,
        good: false,
      };
    case "stuck":
      return { short: "stuck", long: `The same failure three times: ${reason.failure}`, good: false };
    case "stopped":
      return { short: "stopped by fixer", long: `The fixer saw no way on: ${reason.reason}`, good: false };
    case "checks-broken":
      return {
        short: "checks broken",
        long: `The tests can't be judged, and changing the code would not help: ${reason.message}`,
        good: false,
      };
    case "step-failed":
      return { short: `${reason.plugin} failed`, long: `Step ${reason.plugin} failed: ${reason.message}`, good: false };
    case "model-failed":
      return { short: "model failed", long: `The model can't be used: ${reason.message}`, good: false };
    case "cancelled":
      return { short: "cancelled", long: "It was cancelled before it was done.", good: false };
    case "crashed":
      return { short: "crashed", long: `Three workers were lost while they held it: ${reason.message}`, good: false };
  }
}
