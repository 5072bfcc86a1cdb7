import { useEffect, useRef } from "react";

/** `j`, `/`, `g t`, `mod+k`; and what it does. */
export type Keys = Record<string, () => void>;

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

const PAUSE_MS = 1000;

/** Acts on keys, but for those that go into a field or a dialog. */
export function useKeys(keys: Keys) {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    let first = { key: "", at: 0 };
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey) return;
      const mod = event.ctrlKey || event.metaKey;
      if (mod ? event.key.toLowerCase() !== "k" : isTyping(event.target)) return;
      if (!mod && document.querySelector("[role=dialog],[role=alertdialog]")) return;
      const pressed = mod ? `mod+${event.key.toLowerCase()}` : event.key;
      // It belongs to what the focus is on.
      if (pressed === "Enter" && event.target instanceof Element && event.target.closest("a,button,summary")) return;
      const pair = event.timeStamp - first.at < PAUSE_MS ? `${first.key} ${pressed}` : "";
      const action = latest.current[pair] ?? latest.current[pressed];
      first = { key: pressed, at: event.timeStamp };
      if (!action) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}
