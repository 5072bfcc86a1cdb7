import { useState } from "react";

/** Not `crypto.randomUUID`: it is missing where the page came over plain HTTP from another machine. */
export function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * An Idempotency-Key: one click is one task, however often the request has to be sent. As soon as any
 * part of what is sent has changed, it is another.
 */
export function useClickKey(...parts: unknown[]): string {
  const [made, make] = useState(() => ({ parts, key: freshKey() }));
  if (parts.length === made.parts.length && parts.every((part, index) => Object.is(part, made.parts[index]))) return made.key;
  const next = { parts, key: freshKey() };
  make(next);
  return next.key;
}
