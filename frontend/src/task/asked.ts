import type { Schema } from "../api/client";

export interface Part {
  title: string;
  text: string;
}

type Json = Record<string, unknown>;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const pretty = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** A journal entry as people read it: messages apart, text as text, the rest as JSON. */
export function readable(entry: Schema["JournalEntry"]): { asked: Part[]; answered: Part[] } {
  return { asked: parts(parsed(entry.request), "Request"), answered: parts(parsed(entry.answer), "Answer") };
}

function parts(value: unknown, title: string): Part[] {
  if (!isObject(value)) return [{ title, text: pretty(value) }];
  if (Array.isArray(value.messages)) {
    const { messages, ...rest } = value;
    const said = (messages as unknown[]).map((message) => {
      const { role, content } = isObject(message) ? message : { role: "message", content: message };
      return { title: String(role), text: pretty(content) };
    });
    return Object.keys(rest).length ? [...said, { title: "settings", text: pretty(rest) }] : said;
  }
  for (const [wrapper, inside] of [
    ["result", title],
    ["Ok", title],
    ["Err", "Error"],
  ] as const) {
    if (!(wrapper in value)) continue;
    const { [wrapper]: inner, ...rest } = value;
    return [...parts(inner, inside), ...(Object.keys(rest).length ? [{ title: "figures", text: pretty(rest) }] : [])];
  }
  if (typeof value.text === "string") {
    const { text, ...rest } = value;
    return [{ title, text }, ...(Object.keys(rest).length ? [{ title: "figures", text: pretty(rest) }] : [])];
  }
  return [{ title, text: pretty(value) }];
}
