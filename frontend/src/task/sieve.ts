import { plain } from "./ansi";
import type { Level, Line } from "./story";

export const LEVELS: Level[] = ["trace", "debug", "info", "warn", "error"];
const RANK = Object.fromEntries(LEVELS.map((level, rank) => [level, rank])) as Record<Level, number>;

/** The lines of a growing log that are like what is looked for. Each line is looked at once. */
export class Sieve {
  private readonly wanted: string;
  private readonly rank: number;
  private looked = 0;
  private kept: Line[] = [];

  constructor(
    private readonly lines: Line[],
    wanted: string,
    least: Level,
  ) {
    this.wanted = wanted.toLowerCase();
    this.rank = RANK[least];
  }

  upTo(length: number): readonly Line[] {
    for (; this.looked < length; this.looked += 1) {
      const line = this.lines[this.looked]!;
      if (this.takes(line)) this.kept.push(line);
    }
    return this.kept;
  }

  private takes(line: Line) {
    if (RANK[line.level] < this.rank) return false;
    const { wanted } = this;
    return !wanted || plain(line.text).toLowerCase().includes(wanted) || line.source.toLowerCase().includes(wanted);
  }
}
