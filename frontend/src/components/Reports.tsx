import { useState } from "react";
import { FileDiff, RotateCcw } from "lucide-react";
import type { Report, Round } from "../api/client";
import { plural } from "../format";
import { isWorth } from "../task/rounds";
import { Ansi } from "./Ansi";
import { Button } from "./Button";
import { Empty } from "./Empty";

interface Props {
  rounds: Round[];
  /** The index of the best round. */
  best: number | undefined;
  /** Shows a line of a file as the round left it. */
  onPlace: (round: number, path: string, line: number) => void;
  /** Shows what a round changed. */
  onChanges?: (round: number) => void;
  /** Runs the task again from what a round left. */
  onAgain?: (round: number) => void;
}

/** Rounds drawn at a time. */
const SHOWN = 20;

/** What each round's check found, newest first. */
export function Reports({ rounds, best, onPlace, onChanges, onAgain }: Props) {
  const [shown, setShown] = useState(SHOWN);
  if (rounds.length === 0) {
    return (
      <div className="panel">
        <Empty title="Nothing was checked yet">Each round ends with a check; its report comes here.</Empty>
      </div>
    );
  }
  return (
    <div className="space-y-3">
      {rounds.slice(-shown).toReversed().map((round) => (
        <section key={round.number} className="panel" aria-label={`Round ${round.number}`}>
          <header className="flex flex-wrap items-center gap-x-3 border-b border-line px-3 py-1.5">
            <h2 className="font-medium">
              Round {round.number}: {round.kind}
            </h2>
            {rounds[best ?? -1] === round && isWorth(round) && (
              <span
                className="rounded bg-good-wash px-1.5 text-xs font-medium text-good"
                title="Of all rounds so far, the largest part of the tests passes: its files are the result"
              >
                best
              </span>
            )}
            {round.temperature != null && <span className="text-xs text-soft">temperature {round.temperature}</span>}
            <span className="foreign line-clamp-1 flex-1 text-soft">{round.summary}</span>
            {onChanges && round.tree && (
              <Button look="quiet" onClick={() => onChanges(round.number)}>
                <FileDiff className="size-3.5" aria-hidden /> Its changes
              </Button>
            )}
            {onAgain && round.tree && (
              <Button look="quiet" onClick={() => onAgain(round.number)}>
                <RotateCcw className="size-3.5" aria-hidden /> Run again from here
              </Button>
            )}
          </header>
          {round.failure && <p className="foreign p-3 whitespace-pre-wrap text-bad">{round.failure}</p>}
          {round.report && (
            <ReportView report={round.report} onPlace={(path, line) => onPlace(round.number, path, line)} />
          )}
        </section>
      ))}
      {rounds.length > shown && (
        <Button onClick={() => setShown(shown * 3)}>{plural(rounds.length - shown, "earlier round")}</Button>
      )}
    </div>
  );
}

const PROBLEMS_SHOWN = 100;
const OUTPUT_SHOWN = 50_000;
/** An output that says no more than the line above it. */
const COUNTS = /^\s*\d+ passed, \d+ failed, \d+ skipped\s*$/;

export function ReportView({ report, onPlace }: { report: Report; onPlace: (path: string, line: number) => void }) {
  const { verdict, counts, problems, output } = report;
  return (
    <div className="space-y-2 p-3">
      <p className={verdict === "passed" ? "text-good" : "text-bad"}>
        <strong className="font-medium">{verdict}</strong>: {counts.passed} passed, {counts.failed} failed,{" "}
        {counts.skipped} skipped
      </p>
      <ul className="space-y-2">
        {problems.slice(0, PROBLEMS_SHOWN).map((problem, index) => (
          <li key={index} className="rounded-md border border-line">
            <div className="flex flex-wrap gap-x-3 border-b border-line bg-sunken px-2.5 py-1 text-xs">
              {problem.test && <code className="foreign font-medium">{problem.test}</code>}
              {problem.path && (
                <button
                  type="button"
                  className="foreign font-mono text-accent underline"
                  onClick={() => onPlace(problem.path!, problem.line ?? 0)}
                >
                  {problem.path}
                  {problem.line ? `:${problem.line}` : ""}
                </button>
              )}
            </div>
            <pre className="foreign max-h-80 overflow-auto p-2.5 text-xs whitespace-pre-wrap" tabIndex={0} aria-label="Message">
              <Ansi text={problem.message} />
            </pre>
          </li>
        ))}
      </ul>
      {problems.length > PROBLEMS_SHOWN && <p className="text-soft">{plural(problems.length - PROBLEMS_SHOWN, "more problem")}</p>}
      {output && !COUNTS.test(output) && (
        <details>
          <summary className="text-soft">Output</summary>
          <pre className="foreign mt-1 max-h-96 overflow-auto rounded-md bg-sunken p-2.5 text-xs whitespace-pre-wrap" tabIndex={0} aria-label="Output">
            <Ansi text={output.slice(0, OUTPUT_SHOWN)} />
            {output.length > OUTPUT_SHOWN && "\n… the log holds the rest"}
          </pre>
        </details>
      )}
    </div>
  );
}
