import type { Schema } from "../api/client";
import { digest } from "../format";
import { Empty } from "./Empty";
import { Time } from "./Time";

/** What was swapped, the last first. */
export function PluginHistory({ changes }: { changes: Schema["Change"][] }) {
  return (
    <section className="panel" aria-label="History">
      <h2 className="border-b border-line px-3 py-1.5 font-medium">
        History <span className="font-normal text-soft">since this host was started</span>
      </h2>
      {changes.length === 0 && <Empty title="No plugin has changed since" />}
      <ol className="divide-y divide-line">
        {changes.toReversed().map((change, index) => (
          <li key={index} className="flex flex-wrap gap-x-3 px-3 py-1.5">
            <span className="w-32 text-soft">
              <Time at={change.at} />
            </span>
            <span className="foreign font-medium">{change.plugin}</span>
            <span className={BAD.includes(change.what) ? "text-warn" : ""}>{change.what}</span>
            <code className="text-xs leading-5 text-soft">
              {[change.from, change.to].map((one) => (one ? digest(one) : "–")).join(" → ")}
            </code>
            <span className="text-soft">generation {change.generation}</span>
            {change.why && <span className="foreign w-full text-soft">{change.why}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

const BAD: string[] = ["refused", "held-back", "withdrawn"] satisfies Schema["What"][];
