import { commandOf, curlOf } from "../task/submission";
import type { Draft } from "../hooks/useDraft";
import { Copy } from "./Copy";

/** The same task from a terminal. */
export function Equal({ draft, archive }: { draft: Draft; archive: File | undefined }) {
  const forms = [
    ["curl", curlOf(draft, location.origin, archive)],
    ["aiagent-host", commandOf(draft, location.origin, archive)],
  ] as const;
  return (
    <details className="panel">
      <summary className="px-3 py-2">The same from a terminal</summary>
      {forms.map(([name, text]) => (
        <div key={name} className="border-t border-line px-3 py-2">
          <div className="flex items-center justify-between text-xs text-soft">
            {name} <Copy text={text} label={`Copy the ${name} command`} />
          </div>
          <pre className="foreign max-h-60 overflow-auto text-xs whitespace-pre-wrap" tabIndex={0} aria-label={`${name} command`}>
            {text}
          </pre>
        </div>
      ))}
      <p className="border-t border-line px-3 py-2 text-xs text-soft">
        Where this host asks for a log-in: <code>-H &quot;Authorization: Bearer $AIAGENT_TOKEN&quot;</code> for curl; the command
        reads <code>AIAGENT_TOKEN</code> by itself.
      </p>
    </details>
  );
}
