import Anser from "anser";

export interface Span {
  text: string;
  /** The colour's name, such as `red` or `bright-green`. */
  colour?: string;
  bold?: boolean;
  dim?: boolean;
}

const ESCAPE = "\u001b";

/** Without what tells a terminal how to show it. */
export const plain = (text: string) => (text.includes(ESCAPE) ? Anser.ansiToText(text) : text);

export function spans(text: string): Span[] {
  if (!text.includes(ESCAPE)) return [{ text }];
  return Anser.ansiToJson(text, { use_classes: true, remove_empty: true }).map(({ content, fg, decorations }) => ({
    text: content,
    // Grounds, and the 256 others, are left out: not one of them is sure to be readable in both themes.
    colour: /^ansi-(bright-)?(red|green|yellow|blue|magenta|cyan)$/.test(fg ?? "") ? fg.slice(5).replace("bright-", "") : undefined,
    bold: decorations.includes("bold"),
    dim: decorations.includes("dim"),
  }));
}
