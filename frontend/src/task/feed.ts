import type { TaskEvent } from "../api/client";
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

export type Connection = "connecting" | "live" | "reconnecting" | "ended" | "refused";

/**
 * Follows one task over server-sent events, from its first event. The browser connects again by itself
 * and says which event it saw last; what comes twice is told once.
 */
export class Feed {
  readonly story = new Story();
  connection: Connection = "connecting";
  /** A new object after each change, as React wants it. */
  snapshot = { story: this.story, connection: this.connection, version: 0 };
  private source: EventSource | undefined;
  private listeners = new Set<() => void>();
  private frame = 0;

  constructor(
    private readonly id: string,
    private readonly connect: (url: string) => EventSource = (url) => new EventSource(url),
  ) {}

  /** The connection lasts as long as somebody listens. */
  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    if (!this.source && this.connection !== "ended" && this.connection !== "refused") this.open();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        this.source?.close();
        this.source = undefined;
      }
    };
  };

  private open() {
    const source = this.connect(`/api/v1/tasks/${encodeURIComponent(this.id)}/events?after=${this.story.lastId}`);
    for (const type of Object.keys(TYPES)) {
      source.addEventListener(type, (message) => this.take(message as MessageEvent<string>));
    }
    source.onopen = () => this.turn("live");
    source.onerror = () => {
      if (this.story.ended) this.close("ended");
      // The browser gives up on answers such as 401 and 404, and goes on trying after a lost connection.
      else if (source.readyState === 2) this.close("refused");
      else this.turn("reconnecting");
    };
    this.source = source;
  }

  getSnapshot = () => this.snapshot;

  private close(connection: Connection) {
    this.source?.close();
    this.source = undefined;
    this.turn(connection);
  }

  private take(message: MessageEvent<string>) {
    if (!this.story.tell(JSON.parse(message.data) as TaskEvent)) return;
    if (this.story.ended) this.close("ended");
    else this.announce();
  }

  private turn(connection: Connection) {
    if (this.connection === connection) return;
    this.connection = connection;
    this.announce();
  }

  /** Once per frame at most: a replay of thousands of events is drawn a few times, not thousands. */
  private announce() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.snapshot = { story: this.story, connection: this.connection, version: this.story.version };
      for (const listener of this.listeners) listener();
    });
  }
}
