import { useQuery } from "@tanstack/react-query";
import type { Schema, Steps } from "../api/client";
import { about, plugins } from "../api/queries";

interface Props {
  pipeline: Schema["Pipeline"] | undefined;
  value: Steps;
  onChange: (steps: Steps) => void;
}

/** Other parts than the pipeline's own: a plugin of each kind, and the model. */
export function PartFields({ pipeline, value, onChange }: Props) {
  const catalog = useQuery(plugins);
  const host = useQuery(about);
  const ofKind = (kind: string) => (catalog.data?.loaded ?? []).filter((one) => one.kind === kind).map((one) => one.name);
  const parts = [
    ["builder", "Builder", pipeline?.builder.name, ofKind("builder")],
    ["checker", "Checker", pipeline?.checker.name, ofKind("checker")],
    ["fixer", "Fixer", pipeline?.fixer?.name, ofKind("fixer")],
    ["model", "Model", pipeline?.model ?? undefined, (host.data?.models ?? []).map((one) => one.name)],
  ] as const;
  return (
    <div className="grid grid-cols-2 gap-3 sm:grid-cols-4">
      {parts.map(([name, label, usual, choices]) => (
        <label key={name} className="grid min-w-0 content-start gap-1">
          {label}
          <select
            className="field w-full text-ellipsis"
            value={value[name] ?? ""}
            onChange={(event) => onChange({ ...value, [name]: event.target.value || undefined })}
          >
            <option value="">{usual ?? "none"}</option>
            {[...new Set([...choices, ...(value[name] ? [value[name]] : [])])]
              .filter((choice) => choice !== usual)
              .map((choice) => (
                <option key={choice}>{choice}</option>
              ))}
          </select>
        </label>
      ))}
    </div>
  );
}
