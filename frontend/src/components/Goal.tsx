import { lazy, Suspense, useState } from "react";

const Markdown = lazy(() => import("./Markdown"));

/** What fits in two lines, on a phone and on a desk. */
const FITS = { narrow: 70, wide: 200 };
/** Longer texts are shown as they are: to lay them out would take seconds. */
const MARKDOWN_AT_MOST = 50_000;
const PLAIN_SHOWN = 200_000;

/** A goal whole: Markdown, unless it is too long for that. */
export function WholeGoal({ text }: { text: string }) {
  const plain = <p className="foreign whitespace-pre-wrap">{text.slice(0, PLAIN_SHOWN)}</p>;
  if (text.length > MARKDOWN_AT_MOST) return plain;
  return (
    <Suspense fallback={plain}>
      <Markdown text={text} />
    </Suspense>
  );
}

/** The head of a task: its goal's first lines, and the rest on demand. */
export function Goal({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  const isLong = text.length > FITS.wide || text.includes("\n");
  return (
    <div className="min-w-0">
      <h1 className={`foreign text-base font-semibold ${whole ? "sr-only" : "line-clamp-2"}`}>{text.slice(0, 1000)}</h1>
      {whole && <WholeGoal text={text} />}
      {(isLong || text.length > FITS.narrow) && (
        <button type="button" aria-expanded={whole} className={`text-xs text-accent underline ${isLong ? "" : "sm:hidden"}`} onClick={() => setWhole(!whole)}>
          {whole ? "Less" : "The whole goal"}
        </button>
      )}
    </div>
  );
}
