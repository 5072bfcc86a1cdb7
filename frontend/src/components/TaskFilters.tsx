import { useEffect, useRef, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { about, pipelines, plugins } from "../api/queries";
import { useKeys } from "../hooks/useKeys";
import { OUTCOMES, useTaskFilter } from "../hooks/useTaskFilter";
import { Button } from "./Button";

/** Long enough to type a word. */
const PAUSE_MS = 250;

export function TaskFilters() {
  const { params, set, clear, isSet, spans } = useTaskFilter();
  const lines = useQuery(pipelines);
  const host = useQuery(about);
  const catalog = useQuery(plugins);
  const choice = (name: string, label: string, values: string[]) => (
    <select
      aria-label={label}
      className="field max-w-40"
      value={params.get(name) ?? ""}
      onChange={(event) => set(name, event.target.value)}
    >
      <option value="">{label}</option>
      {values.map((value) => (
        <option key={value}>{value}</option>
      ))}
    </select>
  );
  return (
    <search className="flex flex-wrap items-center gap-1.5">
      <TextFilter value={params.get("text") ?? ""} onChange={(text) => set("text", text)} />
      {choice("state", "Any state", ["queued", "running", "ended"])}
      {choice("outcome", "Any outcome", OUTCOMES)}
      {choice("pipeline", "Any pipeline", lines.data?.pipelines.map((one) => one.name) ?? [])}
      {choice("model", "Any model", host.data?.models.map((one) => one.name) ?? [])}
      {choice(
        "plugin",
        "Any plugin",
        catalog.data?.loaded.filter((one) => one.kind !== "adapter").map((one) => one.name) ?? [],
      )}
      {choice("since", "Any time", spans)}
      {isSet && (
        <Button look="quiet" onClick={clear}>
          Clear
        </Button>
      )}
    </search>
  );
}

function TextFilter({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const [from, setFrom] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  if (from !== value) {
    setFrom(value);
    setText(value);
  }
  useKeys({ "/": () => field.current?.focus() });
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), PAUSE_MS);
    return () => clearTimeout(timer);
  });
  return (
    <div className="relative min-w-48 flex-1">
      <Search className="pointer-events-none absolute top-2 left-2.5 size-3.5 text-soft" aria-hidden />
      <input
        ref={field}
        type="search"
        aria-label="Search goals and ids"
        placeholder="Search goals and ids ( / )"
        className="field w-full pl-8"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </div>
  );
}
