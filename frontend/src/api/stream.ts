import { client } from "./client";

export type Connection = "connecting" | "live" | "reconnecting" | "ended" | "refused";

/** What stands for a stream that can't be had, so that its state can be asked for: a browser never tells why. */
export type Probe = () => Promise<number>;

/** The answers after which asking again is of no use. */
const FINAL = [401, 403, 404, 410];
const WAIT_MS = { first: 1_000, most: 15_000 };

/** The status with which the host answers a request for a task, or for the session; 0: not at all. */
export async function statusOf(task?: string): Promise<number> {
  try {
    const answer = task
      ? client.GET("/api/v1/tasks/{id}", { params: { path: { id: task } } })
      : client.GET("/api/v1/about");
    return (await answer).response.status;
  } catch {
    return 0;
  }
}

export interface Hearing {
  /** Where to connect; asked anew for each connection that the page opens itself. */
  url: () => string;
  probe: Probe;
  /** The types of message that are told. */
  types: string[];
  tell: (type: string, data: string) => void;
  /** With the status, where the host has refused. */
  turn: (connection: Connection, status?: number) => void;
  connect?: (url: string) => EventSource;
}

/**
 * One connection of server-sent events. The browser connects again by itself after a lost connection, and
 * gives up on an answer that is no stream; then this asks why. A host that restarts, or is too busy, is asked
 * again; 401, 403, 404 and 410 are the end.
 */
export class Stream {
  private source: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = WAIT_MS.first;
  private over = false;

  constructor(private readonly hearing: Hearing) {}

  open() {
    const { url, types, tell, turn, connect = (url) => new EventSource(url) } = this.hearing;
    const source = connect(url());
    this.source = source;
    for (const type of types) source.addEventListener(type, (message) => tell(type, (message as MessageEvent<string>).data));
    source.onopen = () => {
      this.wait = WAIT_MS.first;
      turn("live");
    };
    source.onerror = () => {
      if (this.over) return;
      turn("reconnecting");
      // Whoever hears it may have found that nothing more is to come.
      if (!this.over && source.readyState === 2) void this.ask();
    };
  }

  /** For good. */
  close() {
    this.over = true;
    clearTimeout(this.timer);
    this.source?.close();
  }

  private async ask() {
    const status = await this.hearing.probe();
    if (this.over) return;
    if (FINAL.includes(status)) {
      this.close();
      this.hearing.turn("refused", status);
      return;
    }
    this.timer = setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(WAIT_MS.most, this.wait * 2);
  }
}
