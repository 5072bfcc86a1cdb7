import { useQuery } from "@tanstack/react-query";
import type { Schema } from "../api/client";
import { plugins } from "../api/queries";
import { Empty, Loading } from "../components/Empty";
import { Failure } from "../components/Notice";
import { Time } from "../components/Time";
import { bytes, duration, plural } from "../format";
import { useTitle } from "../hooks/useTitle";

type Serving = Schema["Serving"];
type Change = Schema["Change"];
type Refused = Schema["Refused"];

export function Plugins() {
  useTitle("Plugins");
  const found = useQuery(plugins);
  if (found.isPending) return <Loading lines={6} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const { loaded, refused, generation, history } = found.data;
  return (
    <div className="space-y-3">
      <h1 className="text-lg font-semibold">
        Plugins <span className="text-sm font-normal text-soft">generation {generation}</span>
      </h1>
      {refused.map((one) => (
        <RefusedPlugin key={one.file} plugin={one} />
      ))}
      {loaded.length === 0 ? (
        <div className="panel">
          <Empty title="No plugin is loaded">
            Start the host with <code>--plugins DIR</code>; <code>make build</code> makes target/plugins.
          </Empty>
        </div>
      ) : (
        <div className="grid gap-3 lg:grid-cols-2">
          {loaded.map((one) => (
            <LoadedPlugin key={one.name} plugin={one} />
          ))}
        </div>
      )}
      {history.length > 0 && <History changes={history} />}
    </div>
  );
}

const digest = (digest: string) => digest.slice(7, 19);

/** What was swapped, the last first. */
function History({ changes }: { changes: Change[] }) {
  return (
    <section className="panel" aria-label="History">
      <h2 className="border-b border-line px-3 py-1.5 font-medium">History</h2>
      <ol className="divide-y divide-line">
        {changes.toReversed().map((change, index) => (
          <li key={index} className="flex flex-wrap gap-x-3 px-3 py-1.5">
            <span className="w-24 text-soft">
              <Time at={change.at} />
            </span>
            <span className="foreign font-medium">{change.plugin}</span>
            <span>{change.what}</span>
            <code className="text-xs text-soft">
              {[change.from, change.to].map((one) => (one ? digest(one) : "–")).join(" → ")}
            </code>
            {change.why && <span className="foreign w-full text-soft">{change.why}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

const STATUS = { refused: "Refused", "held-back": "Held back", withdrawn: "Withdrawn" };

function RefusedPlugin({ plugin }: { plugin: Refused }) {
  return (
    <section className="rounded-lg bg-warn-wash p-3" aria-label={`Not served: ${plugin.file}`}>
      <h2 className="foreign font-medium text-warn">{STATUS[plugin.status]}: {plugin.file.split("/").at(-1)}</h2>
      <p className="foreign">{plugin.reason}</p>
      <p className="foreign mt-1">
        <span className="font-medium">What to do:</span> {plugin.remedy}
      </p>
      {plugin.still_serving && (
        <p className="mt-1">
          The version before goes on serving: <code>{digest(plugin.still_serving)}</code>
        </p>
      )}
    </section>
  );
}

function LoadedPlugin({ plugin }: { plugin: Serving }) {
  const { limits, uses } = plugin;
  return (
    <section className="panel min-w-0 p-3" aria-label={plugin.name}>
      <h2 className="flex items-baseline gap-2">
        <span className="foreign font-medium">{plugin.name}</span>
        <span className="rounded bg-sunken px-1.5 text-xs text-soft">{plugin.kind}</span>
      </h2>
      <p className="foreign font-mono text-xs text-soft" title={plugin.digest}>
        {plugin.digest.slice(0, 19)} · {bytes(plugin.size_bytes)} · {plugin.contract}
      </p>
      <p className="mt-1">
        {uses.calls === 0
          ? "Not called yet"
          : `${plural(uses.calls, "call")}, ${Math.round(100 * (uses.pass_rate ?? 0))} % with a result`}
        {uses.median_us != null && `, median ${duration(uses.median_us / 1000)}`}
      </p>
      {uses.last_trap && (
        <p className="foreign text-bad">
          Last trap <Time at={uses.last_trap.at} />: {uses.last_trap.message}
        </p>
      )}
      {plugin.before && (
        <p className="text-warn">
          On trial: three traps in a row bring <code>{digest(plugin.before)}</code> back.
        </p>
      )}
      <p className="mt-2 text-xs text-soft">
        Granted: {plugin.grants.join(", ") || "nothing"}. Serving since <Time at={plugin.since} />.
      </p>
      <p className="text-xs text-soft">
        Per call: {duration(limits.compute_ms)} of computing, {duration(limits.wall_ms)} in all, {bytes(limits.memory_bytes)} of
        memory, {bytes(limits.output_bytes)} of output, {bytes(limits.log_bytes)} of log
      </p>
      <details className="mt-2">
        <summary>{plugin.imports.length} imports</summary>
        <ul className="mt-1 space-y-0.5 text-xs">
          {plugin.imports.map((one) => (
            <li key={one.name} className="foreign">
              <code>{one.name}</code> <span className="text-soft">{one.allows}</span>
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}
