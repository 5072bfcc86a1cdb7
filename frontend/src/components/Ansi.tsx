import { spans } from "../task/ansi";

const COLOURS: Record<string, string> = {
  red: "text-bad",
  green: "text-good",
  yellow: "text-warn",
  blue: "text-accent",
  magenta: "text-accent",
  cyan: "text-accent",
};

/** Text of a program that writes in colours for a terminal. */
export function Ansi({ text }: { text: string }) {
  const parts = spans(text);
  if (parts.length === 1 && !parts[0]!.colour && !parts[0]!.bold) return parts[0]!.text;
  return parts.map((part, index) => (
    <span
      key={index}
      className={`${COLOURS[part.colour ?? ""] ?? ""} ${part.bold ? "font-bold" : ""} ${part.dim ? "text-soft" : ""}`}
    >
      {part.text}
    </span>
  ));
}
