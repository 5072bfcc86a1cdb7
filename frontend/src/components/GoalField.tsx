import { useState } from "react";
import { bytes } from "../format";
import { Button } from "./Button";
import { WholeGoal } from "./Goal";

interface Props {
  goal: string;
  /** In bytes; undefined: not known yet. */
  most: number | undefined;
  onChange: (goal: string) => void;
}

const encoder = new TextEncoder();

export function GoalField({ goal, most, onChange }: Props) {
  const [preview, setPreview] = useState(false);
  const size = goal.length * 4 > (most ?? Infinity) ? encoder.encode(goal).length : 0;
  return (
    <div className="space-y-1">
      <div className="flex items-center justify-between">
        <label htmlFor="goal" className="font-medium">
          Goal
        </label>
        <Button look="quiet" aria-pressed={preview} disabled={goal.trim() === ""} onClick={() => setPreview(!preview)}>
          {preview ? "Write" : "Preview"}
        </Button>
      </div>
      {preview ? (
        <div className="panel min-h-28 p-3">
          <WholeGoal text={goal} />
        </div>
      ) : (
        <textarea
          id="goal"
          required
          rows={5}
          className="field w-full"
          placeholder="Write slug.py with slugify(text) that makes a URL slug. Markdown is fine."
          value={goal}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
          }}
        />
      )}
      {most !== undefined && size > most && (
        <p role="alert" className="text-bad">
          {bytes(size)} of goal; this host takes {bytes(most)}. Put the long part into a file.
        </p>
      )}
    </div>
  );
}
