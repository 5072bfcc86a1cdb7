import { readFileSync } from "node:fs";

/** One line for people; what misses its aim says so, and fails nothing: machines differ. */
export function say(what: string, value: number, unit: string, aim?: number) {
  const figure = Number.isInteger(value) ? value : value.toFixed(1);
  const verdict = aim === undefined ? "" : `  (aim: at most ${aim} ${unit}${value > aim ? ", MISSED" : ""})`;
  process.stdout.write(`    ${what}: ${figure} ${unit}${verdict}\n`);
}

export function quantile(values: number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Of Linux: memory in MiB, and processor time so far in seconds. */
export function usage(pid: number): { mib: number; cpu: number } {
  const kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return { mib: kib / 1024, cpu: (Number(fields[11]) + Number(fields[12])) / 100 };
}

export const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
