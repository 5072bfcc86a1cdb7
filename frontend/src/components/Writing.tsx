import { useEffect, useRef } from "react";
import type { Story } from "../task/story";
import { Copy } from "./Copy";
import { Empty } from "./Empty";

/** More than a screen; the whole answer is among the attempts. */
const SHOWN = 20_000;

/** So close to the end counts as there. */
const AT_END_PX = 40;

/** The model's answer, as it is written. */
export function Writing({ story }: { story: Story }) {
  const call = story.lastCall;
  const pane = useRef<HTMLPreElement>(null);
  const length = call?.text.length ?? 0;
  const writing = story.isWriting;
  // Whoever reads further up is left there.
  const atEnd = useRef(true);
  useEffect(() => {
    if (writing && atEnd.current && pane.current) pane.current.scrollTop = pane.current.scrollHeight;
  }, [writing, length]);
  return (
    <section className="panel flex max-h-[70vh] min-h-60 min-w-0 flex-col" aria-label="The model's answer">
      <header className="flex min-h-10 items-center justify-between border-b border-line px-3 py-1">
        <h2 className="font-medium">
          {writing ? "The model writes" : "The model's last answer"}
          {call && (
            <span className="font-normal text-soft">
              {" "}
              {call.model}, round {call.round}
            </span>
          )}
          {writing && <span className="pulse ml-2 inline-block size-2 rounded-full bg-accent" aria-hidden />}
        </h2>
        {call?.text && <Copy text={call.text} label="Copy the answer" />}
      </header>
      {call?.text ? (
        <pre
          ref={pane}
          tabIndex={0}
          aria-label="Answer"
          onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
            atEnd.current = scrollHeight - scrollTop - clientHeight < AT_END_PX;
          }}
          className="foreign flex-1 overflow-auto p-3 text-xs leading-5 whitespace-pre-wrap"
        >
          {call.text.length > SHOWN && "…"}
          {call.text.slice(-SHOWN)}
        </pre>
      ) : call ? (
        <Empty title={writing ? "Waiting for the first word…" : "No answer"} />
      ) : story.ended ? (
        <Empty title="No model was asked" />
      ) : (
        <Empty title="No model was asked yet">Its words appear here as it writes them.</Empty>
      )}
    </section>
  );
}
