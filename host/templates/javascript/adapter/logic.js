// Ollama's own wire format, https://github.com/ollama/ollama/blob/main/docs/api.md: one JSON object a
// line while it streams, one object otherwise.

/** The body of a request. */
export function body(request, settings) {
  const options = {};
  if (request.temperature !== undefined) options.temperature = request.temperature;
  if (request.maxTokens !== undefined) options.num_predict = request.maxTokens;
  if (request.stop.length) options.stop = request.stop;
  // JSON's numbers are exact up to 53 bits.
  if (request.seed !== undefined) options.seed = Number(request.seed % 2n ** 53n);
  for (const [key, value] of settings.extra) {
    try {
      options[key] = JSON.parse(value);
    } catch {
      throw { tag: 'invalid-request', val: `extra.${key} = ${value}: not JSON` };
    }
  }
  const messages = request.messages.map(({ role, content }) => ({ role, content }));
  return JSON.stringify({ model: settings.model, messages, stream: settings.stream, options });
}

/** Reads one response, cut anywhere. */
export class Answer {
  #decoder = new TextDecoder();
  #rest = '';
  #text = '';
  #last;
  #bad;

  constructor(status, headers, model) {
    Object.assign(this, { status, headers, model });
  }

  /** Takes bytes and returns the texts that they complete. */
  push(bytes) {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    // An error is one body, whatever its lines.
    if (this.status !== 200) return [];
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop();
    return lines.map((line) => this.#read(line)).filter((text) => text);
  }

  /** The whole completion; throws a model-error. */
  finish() {
    if (this.status !== 200) throw this.#failure(this.#rest);
    this.#read(this.#rest);
    if (this.#bad !== undefined) throw { tag: 'malformed', val: `not a message: ${this.#bad.slice(0, 200)}` };
    if (!this.#last) throw { tag: 'malformed', val: 'the answer ends before its last message' };
    return {
      text: this.#text,
      finish: { stop: 'stop', length: 'length' }[this.#last.done_reason] ?? 'other',
      usage: { inputTokens: count(this.#last.prompt_eval_count), outputTokens: count(this.#last.eval_count) },
      model: String(this.#last.model ?? this.model),
    };
  }

  #read(line) {
    if (!line.trim() || this.#bad !== undefined) return '';
    try {
      const message = JSON.parse(line);
      const text = message.message?.content ?? '';
      if (message.error || typeof text !== 'string') throw new Error('an error, or no text');
      this.#text += text;
      if (message.done === true) this.#last = message;
      return text;
    } catch {
      this.#bad = line;
      return '';
    }
  }

  #failure(text) {
    let said = text.slice(0, 1000);
    try {
      said = JSON.parse(text).error ?? said;
    } catch {
      // Not Ollama's own words: a proxy's page, most likely.
    }
    const seconds = this.headers.find(([name]) => name === 'retry-after')?.[1];
    const wait = /^\d{1,6}$/.test(seconds ?? '') ? BigInt(seconds) * 1000n : undefined;
    if (this.status === 429) return { tag: 'rate-limited', val: wait };
    if (this.status >= 500) return { tag: 'overloaded', val: wait };
    if (this.status === 401 || this.status === 403) return { tag: 'auth', val: `${this.status}: ${said}` };
    return { tag: 'invalid-request', val: `${this.status}: ${said}` };
  }
}

function count(value) {
  return Number.isSafeInteger(value) && value > 0 ? BigInt(value) : 0n;
}
