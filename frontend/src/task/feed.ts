import type { TaskEvent } from "../api/client";
import { statusOf, Stream, type Connection, type Hearing } from "../api/stream";
import { Story } from "./story";

/** Every type of event; the check below fails to compile when the API has another. */
const TYPES = {
  submitted: true,
  claimed: true,
  requeued: true,
  "step-started": true,
  "step-ended": true,
  "step-restarted": true,
  "plugin-withdrawn": true,
  "model-started": true,
  tokens: true,
  "model-retried": true,
  "model-ended": true,
  proposed: true,
  checked: true,
  log: true,
  "cancel-requested": true,
  ended: true,
} satisfies Record<TaskEvent["type"], true>;

/** The host says that it can't go on from the event that was seen last, and begins anew. */
const RESYNC = "resync";

/** A tab that is hidden draws no frames, and its title and icon say how the task stands. */
const HIDDEN_MS = 500;

export interface Told {
  story: Story;
  connection: Connection;
  /** Of the refusal, when refused. */
  status: number | undefined;
  version: number;
}

/** Follows one task, from its first event; what comes twice is told once. */
export class Feed {
  /** A new object after each change, as React wants it. */
  snapshot: Told = { story: new Story(), connection: "connecting", status: undefined, version: 0 };
  private now: Told = this.snapshot;
  private stream: Stream | undefined;
  private listeners = new Set<() => void>();
  private frame = 0;
  private late: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly id: string,
    private readonly by: Pick<Hearing, "connect"> & Partial<Pick<Hearing, "probe">> = {},
  ) {}

  /** The connection lasts as long as somebody listens. */
  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    if (!this.stream && this.now.connection !== "ended" && this.now.connection !== "refused") this.open();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.stream?.close();
      this.stream = undefined;
    };
  };

  getSnapshot = () => this.snapshot;

  private open() {
    this.stream = new Stream({
      url: () => `/api/v1/tasks/${encodeURIComponent(this.id)}/events?after=${this.now.story.lastId}`,
      probe: this.by.probe ?? (() => statusOf(this.id)),
      connect: this.by.connect,
      types: [...Object.keys(TYPES), RESYNC],
      tell: (type, data) => this.take(type, data),
      turn: (connection, status) => this.turn(connection, status),
    });
    this.stream.open();
  }

  private take(type: string, data: string) {
    if (type === RESYNC) {
      this.now = { ...this.now, story: new Story((JSON.parse(data) as { oldest?: number }).oldest) };
      return this.announce();
    }
    if (this.now.story.tell(JSON.parse(data) as TaskEvent)) this.announce();
  }

  /** Goes on with a task that had ended and was queued again. */
  resume() {
    if (this.now.connection !== "ended") return;
    this.turn("connecting");
    if (this.listeners.size > 0) this.open();
  }

  private turn(connection: Connection, status?: number) {
    // The host ends the stream of a task that has ended, and was not queued again since.
    const over = connection === "reconnecting" && this.now.story.ended;
    if (over) this.stream?.close();
    const next = over ? "ended" : connection;
    if (this.now.connection === next) return;
    this.now = { ...this.now, connection: next, status };
    this.announce();
  }

  /** Once per frame at most: a replay of thousands of events is drawn a few times, not thousands. */
  private announce() {
    if (this.frame) return;
    const tell = () => {
      cancelAnimationFrame(this.frame);
      clearTimeout(this.late);
      this.frame = 0;
      this.snapshot = { ...this.now, version: this.now.story.version };
      for (const listener of this.listeners) listener();
    };
    this.frame = requestAnimationFrame(tell);
    this.late = setTimeout(tell, HIDDEN_MS);
  }
}
