import { useQuery } from "@tanstack/react-query";
import { samples } from "../api/queries";
import type { Draft } from "../hooks/useDraft";
import { looksLikeTest } from "../task/files";

/** Small tasks to begin with. */
export function Templates({ onChoose }: { onChoose: (part: Partial<Draft>) => void }) {
  const found = useQuery(samples);
  return (
    <label className="flex min-w-0 flex-wrap items-center gap-x-2">
      <span className="text-soft">Begin with a sample</span>
      <select
        className="field w-64 max-w-full"
        value=""
        onChange={(event) => {
          const sample = found.data?.find((one) => one.name === event.target.value);
          if (!sample) return;
          onChoose({
            goal: sample.goal,
            files: sample.files.map((file) => ({ ...file, isTest: looksLikeTest(file.path) })),
          });
        }}
      >
        <option value="">choose…</option>
        {found.data?.map((sample) => (
          <option key={sample.name} value={sample.name}>
            {sample.name}: {sample.goal.split("\n")[0]!.replaceAll(/[`*#]/g, "").slice(0, 60)}
          </option>
        ))}
      </select>
    </label>
  );
}
