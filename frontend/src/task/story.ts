import type { Report, TaskEvent } from "../api/client";
import { duration } from "../format";

export type Level = "trace" | "debug" | "info" | "warn" | "error";

/** One line of the log, numbered from 1. */
export interface Line {
  number: number;
  at: number;
  level: Level;
  source: string;
  text: string;
}

export interface Call {
  call: number;
  round: number;
  model: string;
  from: number;
  to?: number;
  /** What the model has written so far. */
  text: string;
  inputTokens?: number;
  outputTokens?: number;
  estimated?: boolean;
  error?: string;
  retries: number;
}

export interface Step {
  round: number;
  kind: string;
  plugin: string;
  digest?: string;
  from: number;
  to?: number;
  computeMs?: number;
  error?: string;
  report?: Report;
  summary?: string;
  calls: Call[];
  /** The number of the first line of the log that belongs to it. */
  line: number;
}

/** A task's events, told in order. Each event is told once, however often it comes. */
export class Story {
  lastId = 0;
  lines: Line[] = [];
  steps: Step[] = [];
  ended = false;
  /** Grows with each event, so that a reader knows when to look again. */
  version = 0;
  /** Grows when a step or a call begins, ends or finds something: tokens and lines of the log leave it as it is. */
  turns = 0;
  /** The call that is being written, or the last one that was. */
  lastCall: Call | undefined;
  private calls = new Map<number, Call>();

  /** `oldest`: the first event that the host still has, where those before are gone. */
  constructor(oldest?: number) {
    if (oldest !== undefined && oldest > 1) this.say(Date.now(), "warn", "host", "what came before is no longer kept");
  }

  /** Returns whether the event was news. */
  tell(event: TaskEvent): boolean {
    if (event.id <= this.lastId) return false;
    this.lastId = event.id;
    this.version += 1;
    if (event.type !== "tokens" && event.type !== "log") this.turns += 1;
    const at = event.at;
    const say = (text: string, source = "host", level: Level = "info") => this.say(at, level, source, text);
    switch (event.type) {
      case "submitted":
        say("submitted");
        break;
      case "claimed":
        say(event.again ? `taken up again by ${event.worker}` : `taken by ${event.worker}`);
        break;
      case "requeued":
        this.ended = false;
        this.interrupt(at, event.why);
        say(event.wait_ms == null ? `back in the queue: ${event.why}` : `waits ${duration(event.wait_ms)}: ${event.why}`, "host", "warn");
        break;
      case "step-started":
        this.interrupt(at, "interrupted");
        this.steps.push({
          round: event.round,
          kind: event.kind,
          plugin: event.plugin,
          digest: event.basis?.digest,
          from: at,
          calls: [],
          line: this.lines.length + 1,
        });
        say(
          `round ${event.round}: ${event.kind} with ${event.plugin}` +
            (event.replayed ? `, ${event.replayed} answers from the journal` : ""),
        );
        break;
      case "step-ended": {
        const step = this.open();
        if (step) {
          step.to = at;
          // Events of a busy moment are stored together, with one time; how long a step took is exact.
          step.from = Math.min(step.from, at - event.wall_ms);
          step.computeMs = event.compute_ms;
          step.error = event.error ?? undefined;
          for (const call of step.calls) call.to ??= at;
        }
        if (event.error) say(event.error, event.plugin, "error");
        break;
      }
      case "plugin-withdrawn":
        say(`${event.plugin} was withdrawn, and the one before it works again: ${event.why}`, "host", "warn");
        break;
      case "step-restarted":
        say(`round ${event.round} begins anew: ${event.why}`, "host", "warn");
        break;
      case "model-started":
        this.ask({ call: event.call, round: event.round, model: event.model, from: at, text: "", retries: 0 });
        break;
      case "tokens": {
        const call = this.calls.get(event.call);
        if (call) call.text += event.text;
        break;
      }
      case "model-retried": {
        const call = this.calls.get(event.call);
        if (call) call.retries += 1;
        say(`${event.error}; asked again after ${event.wait_ms} ms`, call?.model ?? "model", "warn");
        break;
      }
      case "model-ended": {
        const call = this.calls.get(event.call);
        if (call) {
          call.to = at;
          call.from = Math.min(call.from, at - event.wall_ms);
          call.inputTokens = event.input_tokens;
          call.outputTokens = event.output_tokens;
          call.estimated = event.estimated;
          call.error = event.error ?? undefined;
        }
        const source = call?.model ?? "model";
        if (event.error) say(event.error, source, "error");
        else {
          const about = event.estimated ? "about " : "";
          say(`${about}${event.input_tokens} tokens in, ${event.output_tokens} out, ${event.wall_ms} ms`, source);
        }
        break;
      }
      case "proposed": {
        const step = this.open() ?? this.steps.at(-1);
        if (step) step.summary = event.summary;
        say(event.summary, event.kind);
        break;
      }
      case "checked": {
        const step = this.open() ?? this.steps.at(-1);
        if (step) step.report = event.report;
        const { verdict, counts, problems, output } = event.report;
        const level = verdict === "passed" ? "info" : "error";
        say(`${verdict}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`, "check", level);
        for (const problem of problems) {
          const place = problem.path ? `${problem.path}${problem.line ? `:${problem.line}` : ""}: ` : "";
          say(`${place}${problem.message}`, "check", "error");
        }
        if (output) say(output, "output", "debug");
        break;
      }
      case "log":
        this.say(at, event.level as Level, event.source, event.message);
        break;
      case "cancel-requested":
        say("a cancel was asked for", "host", "warn");
        break;
      case "ended":
        this.ended = true;
        this.interrupt(at, undefined);
        say(`ended: ${event.outcome.reason.kind}`, "host", event.outcome.reason.kind === "green" ? "info" : "warn");
        break;
    }
    return true;
  }

  /** Whether a model is at work on an answer. */
  get isWriting(): boolean {
    return !this.ended && this.lastCall !== undefined && this.lastCall.to === undefined;
  }

  private say(at: number, level: Level, source: string, text: string) {
    for (const line of text.replace(/\n$/, "").split("\n")) {
      this.lines.push({ number: this.lines.length + 1, at, level, source, text: line });
    }
  }

  private open(): Step | undefined {
    const last = this.steps.at(-1);
    return last && last.to === undefined ? last : undefined;
  }

  private ask(call: Call) {
    this.open()?.calls.push(call);
    this.calls.set(call.call, call);
    this.lastCall = call;
  }

  /** Nothing goes on past this moment. */
  private interrupt(at: number, why: string | undefined) {
    const step = this.open();
    if (!step) return;
    step.to = at;
    step.error ??= why;
    for (const call of step.calls) call.to ??= at;
  }
}
