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

/** `figures`: what stands around the value. */
function parts(value: unknown, title: string, figures: Json = {}): Part[] {
  const rest = (own: Json = {}): Part[] => {
    const all = { ...own, ...figures };
    return Object.keys(all).length ? [{ title: "figures", text: pretty(all) }] : [];
  };
  if (!isObject(value)) return [{ title, text: pretty(value) }, ...rest()];
  if (Array.isArray(value.messages)) {
    const { messages, ...settings } = value;
    const said = (messages as unknown[]).map((message) => {
      const { role, content } = isObject(message) ? message : { role: "message", content: message };
      return { title: String(role), text: pretty(content) };
    });
    return [...said, ...(Object.keys(settings).length ? [{ title: "settings", text: pretty(settings) }] : []), ...rest()];
  }
  for (const [wrapper, inside] of [
    ["result", title],
    ["Ok", title],
    ["Err", "Error"],
  ] as const) {
    if (!(wrapper in value)) continue;
    const { [wrapper]: inner, ...around } = value;
    return parts(inner, inside, { ...around, ...figures });
  }
  if (typeof value.text === "string") {
    const { text, ...own } = value;
    return [{ title, text }, ...rest(own)];
  }
  return [{ title, text: pretty(value) }, ...rest()];
}
