import { useState } from "react";
import { Trash2 } from "lucide-react";
import { Link } from "react-router";
import type { Schema } from "../api/client";
import { bytes, digest, duration, plural } from "../format";
import { useMay } from "../hooks/useMay";
import { Button } from "./Button";
import { RemovePlugin } from "./RemovePlugin";
import { Time } from "./Time";

type Serving = Schema["Serving"];

/** A plugin that is served: what it is, may do, and has done. */
export function PluginCard({ plugin }: { plugin: Serving }) {
  const { limits, uses } = plugin;
  const { whyNotPlugins } = useMay();
  const [removing, setRemoving] = useState(false);
  return (
    <section className="panel min-w-0 p-3" aria-label={plugin.name}>
      <div className="flex items-start gap-2">
        <h2 className="flex min-w-0 flex-1 items-baseline gap-2">
          <span className="foreign font-medium">{plugin.name}</span>
          <span className="rounded bg-sunken px-1.5 text-xs text-soft">{plugin.kind}</span>
        </h2>
        {plugin.kind !== "adapter" && (
          <Link to={`/?plugin=${encodeURIComponent(plugin.name)}`} className="text-xs leading-6 text-accent underline">
            its tasks
          </Link>
        )}
        <Button
          look="quiet"
          className="!px-1.5"
          refused={whyNotPlugins}
          aria-label={`Remove ${plugin.name}`}
          onClick={() => setRemoving(true)}
        >
          <Trash2 className="size-4" aria-hidden />
        </Button>
      </div>
      <p className="foreign font-mono text-xs text-soft" title={plugin.digest}>
        {plugin.digest.slice(0, 19)} · {bytes(plugin.size_bytes)} · {plugin.contract}
      </p>
      <dl className="mt-2 grid grid-cols-3 gap-2 [&_dd]:font-medium [&_dd]:tabular-nums [&_dt]:text-xs [&_dt]:text-soft">
        <div>
          <dt>Calls</dt>
          <dd>{uses.calls === 0 ? "none yet" : plural(uses.calls, "call")}</dd>
        </div>
        <div title="Calls that gave a result; what a checker's report says does not matter">
          <dt>With a result</dt>
          <dd>{uses.pass_rate == null ? "–" : `${Math.round(100 * uses.pass_rate)} %`}</dd>
        </div>
        <div title="Of the last 128 calls, waiting for the model included">
          <dt>Median time</dt>
          <dd>{uses.median_us == null ? "–" : duration(uses.median_us / 1000)}</dd>
        </div>
      </dl>
      {uses.last_trap && (
        <p className="foreign mt-2 text-bad">
          Last trap <Time at={uses.last_trap.at} />: {uses.last_trap.message}
        </p>
      )}
      {plugin.before && (
        <p className="mt-2 text-warn">
          On trial: three traps in a row bring <code>{digest(plugin.before)}</code> back.
        </p>
      )}
      <p className="mt-2 text-xs text-soft">
        Granted: {plugin.grants.join(", ") || "nothing"}. Serving since <Time at={plugin.since} />.
      </p>
      <details className="mt-2">
        <summary>Limits and imports</summary>
        <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-3 text-xs [&_dt]:text-soft">
          <dt>Computing</dt>
          <dd>{duration(limits.compute_ms)} a call</dd>
          <dt>In all</dt>
          <dd>{duration(limits.wall_ms)} a call, waiting included</dd>
          <dt>Memory</dt>
          <dd>{bytes(limits.memory_bytes)}</dd>
          <dt>Output</dt>
          <dd>{bytes(limits.output_bytes)}</dd>
          <dt>Log</dt>
          <dd>{bytes(limits.log_bytes)}</dd>
          <dt>Policy</dt>
          <dd className="font-mono" title={plugin.policy}>
            {digest(plugin.policy)}
          </dd>
          <dt>File</dt>
          <dd className="foreign font-mono">{plugin.file}</dd>
        </dl>
        <ul className="mt-2 space-y-0.5 text-xs">
          {plugin.imports.map((one) => (
            <li key={one.name} className="foreign">
              <code>{one.name}</code> <span className="text-soft">{one.allows}</span>{" "}
              {!one.granted && <span className="text-warn">not granted</span>}
            </li>
          ))}
          {plugin.imports.length === 0 && <li className="text-soft">It imports nothing.</li>}
        </ul>
      </details>
      {removing && (
        <RemovePlugin title={`Remove ${plugin.name}`} file={plugin.file} runs onClose={() => setRemoving(false)} />
      )}
    </section>
  );
}
