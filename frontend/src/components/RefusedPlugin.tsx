import { useState } from "react";
import type { Schema } from "../api/client";
import { useAllowPlugin } from "../api/mutations";
import { digest } from "../format";
import { useMay } from "../hooks/useMay";
import { Button } from "./Button";
import { Copy } from "./Copy";
import { Dialog } from "./Dialog";
import { RemovePlugin } from "./RemovePlugin";

type Refused = Schema["Refused"];

const STATUS = { refused: "Refused", "held-back": "Held back", withdrawn: "Withdrawn" };

/** A file that is not served: why, and what to do. */
export function RefusedPlugin({ plugin }: { plugin: Refused }) {
  const { whyNotPlugins } = useMay();
  const [asking, setAsking] = useState<"allow" | "remove" | null>(null);
  const name = plugin.file.split("/").at(-1)!;
  return (
    <section className="rounded-lg bg-warn-wash p-3" aria-label={`Not served: ${name}`}>
      <div className="mb-1 flex flex-wrap items-start justify-between gap-2">
        <h2 className="foreign font-medium text-warn">
          {STATUS[plugin.status]}: {name}
        </h2>
        <div className="flex gap-1.5">
          {plugin.status === "held-back" && plugin.digest && (
            <Button refused={whyNotPlugins} onClick={() => setAsking("allow")}>
              Allow…
            </Button>
          )}
          <Button look="quiet" refused={whyNotPlugins} onClick={() => setAsking("remove")}>
            Remove the file…
          </Button>
        </div>
      </div>
      <p className="foreign">{plugin.reason}</p>
      <p className="foreign mt-1">
        <span className="font-medium">What to do:</span> {plugin.remedy} <Copy text={plugin.remedy} label="Copy what to do" />
      </p>
      {plugin.still_serving && (
        <p className="mt-1">
          The version before goes on serving: <code>{digest(plugin.still_serving)}</code>
        </p>
      )}
      {asking === "allow" && plugin.digest && (
        <AllowDialog name={name} plugin={plugin} digest={plugin.digest} onClose={() => setAsking(null)} />
      )}
      {asking === "remove" && (
        <RemovePlugin
          title={`Remove ${name}`}
          file={plugin.file}
          runs={plugin.still_serving != null}
          onClose={() => setAsking(null)}
        />
      )}
    </section>
  );
}

interface AllowProps {
  name: string;
  plugin: Refused;
  digest: string;
  onClose: () => void;
}

function AllowDialog({ name, plugin, digest, onClose }: AllowProps) {
  const allow = useAllowPlugin();
  return (
    <Dialog open title={`Allow ${name}`} onClose={onClose}>
      <p className="foreign">{plugin.reason}</p>
      <p className="mt-2">
        From now on this host serves this very file, and steps that run on the one before end on it.
        <code className="foreign mt-1 block text-xs text-soft">{digest}</code>
      </p>
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onClose}>Leave it</Button>
        <Button look="main" disabled={allow.isPending} onClick={() => allow.mutate({ file: name, digest }, { onSuccess: onClose })}>
          Allow it
        </Button>
      </div>
    </Dialog>
  );
}
