interface Sample {
  at: number;
  count: number;
}

const KEPT_MS = 5 * 60_000;
/** Shorter spans say nothing. */
const LEAST_MS = 15_000;

/** How quickly a count grows, over the last minutes that it was looked at. */
export class Rate {
  private samples: Sample[] = [];

  /** A minute; `undefined`: not known yet. */
  take(count: number, at: number): number | undefined {
    const last = this.samples.at(-1);
    // Deleted tasks are counted no more.
    if (last && count < last.count) this.samples = [];
    this.samples = [...this.samples.filter((sample) => at - sample.at <= KEPT_MS), { at, count }];
    const [first] = this.samples;
    const span = at - first!.at;
    return span < LEAST_MS ? undefined : ((count - first!.count) * 60_000) / span;
  }
}
