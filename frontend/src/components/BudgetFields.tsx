import type { Schema } from "../api/client";
import { count, duration, money } from "../format";
import type { Draft } from "../hooks/useDraft";
import { Field } from "./Field";

interface Props {
  draft: Draft;
  /** What a task may spend that says nothing else. */
  usual: Schema["Budget"] | undefined;
  rounds: number | undefined;
  onChange: (part: Partial<Draft>) => void;
}

/** What the task may spend; a field that is left empty stands for the default beneath it. */
export function BudgetFields({ draft, usual, rounds, onChange }: Props) {
  const fields = [
    { name: "rounds", label: "Rounds", least: 1, step: "1", usual: rounds && count(rounds), zero: false },
    { name: "tokens", label: "Tokens", least: 0, step: "1", usual: usual && (usual.tokens ? count(usual.tokens) : "no limit"), zero: true },
    { name: "cost", label: "Money", least: 0, step: "any", usual: usual && (usual.cost_micros ? money(usual.cost_micros) : "no limit"), zero: true },
    { name: "minutes", label: "Minutes", least: 0, step: "any", usual: usual && duration(usual.wall_ms), zero: false },
  ] as const;
  return fields.map(({ name, label, least, step, usual, zero }) => (
    <Field
      key={name}
      label={label}
      hint={usual ? `default: ${usual}${zero && usual !== "no limit" ? "; 0: no limit" : ""}` : "\u00a0"}
    >
      {(field) => (
        <input
          {...field}
          type="number"
          inputMode="decimal"
          min={least}
          step={step}
          className="field w-full"
          value={draft[name]}
          onChange={(event) => onChange({ [name]: event.target.value })}
        />
      )}
    </Field>
  ));
}
