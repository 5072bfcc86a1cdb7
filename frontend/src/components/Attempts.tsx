import { useState } from "react";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { Schema, Task } from "../api/client";
import { journal } from "../api/queries";
import { plural } from "../format";
import { readable } from "../task/asked";
import { stepName } from "../task/rounds";
import { Button } from "./Button";
import { Copy } from "./Copy";
import { Empty, Loading } from "./Empty";
import { Failure } from "./Notice";

/** What the steps asked, and were answered. */
export function Attempts({ task, version, isWriting = false }: { task: Task; version: string; isWriting?: boolean }) {
  const found = useInfiniteQuery({ ...journal(task.id, version), placeholderData: (before) => before });
  if (found.isPending) return <Loading lines={6} />;
  if (found.isLoadingError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const steps = found.data.pages.flatMap((page) => page.steps);
  if (steps.length === 0) {
    return (
      <div className="panel">
        <Empty title={isWriting ? "The model is writing" : task.outcome ? "Nothing was asked" : "Nothing was asked yet"}>
          Prompts, commands and their answers come here as soon as they are complete. Keys are never among them.
        </Empty>
      </div>
    );
  }
  return (
    <div className="space-y-3">
      {steps.map((step) => (
        <section key={step.step} className="space-y-2" aria-label={`Step ${step.step + 1}`}>
          <h2 className="foreign font-medium">{stepName(task, step.step)}</h2>
          {step.entries.map((entry) => (
            <Entry key={entry.index} entry={entry} />
          ))}
        </section>
      ))}
      {isWriting && !found.hasNextPage && <p className="text-soft">The model is writing. What it was asked comes here with its answer.</p>}
      {found.hasNextPage && <Button onClick={() => void found.fetchNextPage()}>Later steps</Button>}
    </div>
  );
}

function Entry({ entry }: { entry: Schema["JournalEntry"] }) {
  const { asked, answered } = readable(entry);
  return (
    <article className="panel overflow-hidden">
      <header className="border-b border-line px-3 py-1.5 font-medium">
        {{ model: "Asked the model", exec: "Ran a command", check: "Ran the checks" }[entry.kind] ?? entry.kind}
      </header>
      <div className="grid lg:grid-cols-2">
        <div className="min-w-0 border-line lg:border-r">
          {asked.map((part, index) => (
            <Text key={index} title={part.title} text={part.text} />
          ))}
        </div>
        <div className="min-w-0 border-t border-line lg:border-t-0">
          {answered.map((part, index) => (
            <Text key={index} title={part.title} text={part.text} />
          ))}
        </div>
      </div>
      <details className="border-t border-line px-3 py-1.5 text-xs">
        <summary className="text-soft">Raw</summary>
        <Text title="Raw request" text={entry.request} />
        <Text title="Raw answer" text={entry.answer} />
      </details>
    </article>
  );
}

/** Of a text at first: prompts hold whole files. */
const LINES_SHOWN = 40;
const SHOWN = 6_000;

function Text({ title, text }: { title: string; text: string }) {
  const [whole, setWhole] = useState(false);
  const lines = text.replace(/\n$/, "").split("\n");
  const start = lines.slice(0, LINES_SHOWN).join("\n").slice(0, SHOWN);
  const isLong = start.length < text.trimEnd().length;
  return (
    <div className="p-3">
      <div className="flex items-center justify-between text-xs text-soft">
        <span className="foreign">{title}</span> <Copy text={text} label={`Copy: ${title}`} />
      </div>
      <pre className="foreign text-xs leading-5 whitespace-pre-wrap" tabIndex={0} aria-label={title}>
        {whole ? text : start}
        {isLong && !whole && " …"}
      </pre>
      {isLong && (
        <Button look="quiet" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? "Show less" : lines.length > 1 ? `Show all ${plural(lines.length, "line")}` : `Show all ${plural(text.length, "character")}`}
        </Button>
      )}
    </div>
  );
}
