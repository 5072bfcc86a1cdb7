import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { plugins } from "../api/queries";
import { Empty, Loading } from "../components/Empty";
import { Failure } from "../components/Notice";
import { PluginCard } from "../components/PluginCard";
import { PluginHistory } from "../components/PluginHistory";
import { PluginUpload } from "../components/PluginUpload";
import { RefusedPlugin } from "../components/RefusedPlugin";
import { useTitle } from "../hooks/useTitle";

const KINDS = ["builder", "fixer", "checker", "adapter"];

export function Plugins() {
  useTitle("Plugins");
  const found = useQuery(plugins);
  const [kind, setKind] = useState("");
  if (found.isPending) return <Loading lines={6} />;
  if (found.isLoadingError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const { loaded, refused, generation, history } = found.data;
  const shown = loaded.filter((one) => !kind || one.kind === kind);
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h1 className="text-lg font-semibold">
          Plugins <span className="text-sm font-normal text-soft">generation {generation}</span>
        </h1>
        <div className="flex flex-wrap gap-1.5">
          <select aria-label="Any kind" className="field" value={kind} onChange={(event) => setKind(event.target.value)}>
            <option value="">Any kind</option>
            {KINDS.map((kind) => (
              <option key={kind}>{kind}</option>
            ))}
          </select>
          <PluginUpload files={loaded.map((one) => one.file)} />
        </div>
      </div>
      {refused.map((one) => (
        <RefusedPlugin key={one.file} plugin={one} />
      ))}
      {shown.length === 0 ? (
        <div className="panel">
          <Empty title={kind ? `No ${kind} is loaded` : "No plugin is loaded"}>
            Start the host with <code>--plugins DIR</code>; <code>make build</code> makes target/plugins. A{" "}
            <code>.wasm</code> file that is put there is served without a restart.
          </Empty>
        </div>
      ) : (
        <div className="grid gap-3 lg:grid-cols-2">
          {shown.map((one) => (
            <PluginCard key={one.name} plugin={one} />
          ))}
        </div>
      )}
      <PluginHistory changes={history} />
    </div>
  );
}
