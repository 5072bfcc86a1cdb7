import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { samples } from "../api/queries";
import type { Draft } from "../hooks/useDraft";
import { looksLikeTest } from "../task/files";

/** Characters of a goal that a choice shows. */
const SHOWN = 60;

/** Small tasks to begin with. */
export function Templates({ onChoose }: { onChoose: (part: Partial<Draft>) => void }) {
  const found = useQuery(samples);
  const [chosen, setChosen] = useState("");
  return (
    <label className="flex min-w-0 flex-wrap items-center gap-x-2">
      <span className="text-soft">Begin with a sample</span>
      <select
        className="field w-64 max-w-full"
        value={chosen}
        onChange={(event) => {
          setChosen(event.target.value);
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
            {sample.name}: {titleOf(sample.goal)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The first line of a goal, cut between two words. */
function titleOf(goal: string): string {
  const line = goal.split("\n")[0]!.replaceAll(/[`*#]/g, "");
  return line.length <= SHOWN ? line : `${line.slice(0, line.lastIndexOf(" ", SHOWN))} …`;
}
