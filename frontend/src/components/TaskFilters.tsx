import { useEffect, useRef, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { Search, SlidersHorizontal } from "lucide-react";
import { about, pipelines, plugins } from "../api/queries";
import { useKeys } from "../hooks/useKeys";
import { OUTCOMES } from "../format";
import { useTaskFilter } from "../hooks/useTaskFilter";
import { spans } from "../task/filter";
import { Button } from "./Button";

/** Long enough to type a word. */
const PAUSE_MS = 250;
/** Of the list of times; its fields are shown for it. */
const RANGE = "range";

export function TaskFilters() {
  const { params, set, clear, isSet } = useTaskFilter();
  const lines = useQuery(pipelines);
  const host = useQuery(about);
  const catalog = useQuery(plugins);
  const [since, until] = [params.get("since") ?? "", params.get("until") ?? ""];
  const [wished, setWished] = useState(false);
  // On a narrow page they are folded.
  const [unfolded, setUnfolded] = useState(false);
  const range = wished || until !== "" || (since !== "" && !spans.includes(since));
  const choice = (name: string, label: string, values: string[], words: Record<string, string> = {}) => {
    const value = params.get(name) ?? "";
    return (
      <select
        aria-label={label}
        className="field max-w-40"
        value={value}
        onChange={(event) => set({ [name]: event.target.value })}
      >
        <option value="">{label}</option>
        {/* A name in a link may be of a plugin that is no longer loaded. */}
        {[...new Set([...values, ...(value ? [value] : [])])].map((value) => (
          <option key={value} value={value}>
            {words[value] ?? value}
          </option>
        ))}
      </select>
    );
  };
  return (
    <search className="flex flex-wrap items-center gap-1.5">
      <TextFilter value={params.get("text") ?? ""} onChange={(text) => set({ text })} />
      <Button className="sm:hidden" aria-expanded={unfolded} onClick={() => setUnfolded(!unfolded)}>
        <SlidersHorizontal className="size-4" aria-hidden /> Filters
      </Button>
      <div className={`flex flex-wrap items-center gap-1.5 sm:contents ${unfolded || isSet ? "" : "max-sm:hidden"}`}>
        {choice("state", "Any state", ["queued", "running", "ended"])}
        {choice("outcome", "Any outcome", Object.keys(OUTCOMES), OUTCOMES)}
        {choice("pipeline", "Any pipeline", lines.data?.pipelines.map((one) => one.name) ?? [])}
        {choice("model", "Any model", host.data?.models.map((one) => one.name) ?? [])}
        {choice(
          "plugin",
          "Any plugin",
          catalog.data?.loaded.filter((one) => one.kind !== "adapter").map((one) => one.name) ?? [],
        )}
        <select
          aria-label="Any time"
          className="field max-w-32"
          value={range ? RANGE : since}
          onChange={({ target: { value } }) => {
            setWished(value === RANGE);
            set({ since: value === RANGE ? "" : value, until: "" });
          }}
        >
          <option value="">Any time</option>
          {spans.map((span) => (
            <option key={span} value={span}>
              last {span}
            </option>
          ))}
          <option value={RANGE}>from … to …</option>
        </select>
        {range && (
          <>
            {(["since", "until"] as const).map((name) => (
              <input
                key={name}
                type="datetime-local"
                aria-label={name === "since" ? "Submitted since" : "Submitted until"}
                className="field"
                value={spans.includes(params.get(name) ?? "") ? "" : (params.get(name) ?? "")}
                onChange={(event) => set({ [name]: event.target.value })}
              />
            ))}
          </>
        )}
        <label className="flex items-center gap-1.5 px-1" title="Ended through no fault of their own: lost workers, failed steps, a model that can't be used">
          <input
            type="checkbox"
            checked={params.get("dead") === "true"}
            onChange={(event) => set({ dead: event.target.checked ? "true" : "" })}
          />
          dead letters
        </label>
      </div>
      {params.has("parent") && <span className="rounded bg-sunken px-2 py-1 font-mono text-xs">runs of {params.get("parent")?.slice(-6)}</span>}
      {isSet && (
        <Button look="quiet" onClick={() => (setWished(false), clear())}>
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
  const tell = useRef(onChange);
  useEffect(() => {
    tell.current = onChange;
  });
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => tell.current(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <div className="relative min-w-44 flex-1">
      <Search className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 size-3.5 text-soft" aria-hidden />
      <input
        ref={field}
        type="search"
        aria-label="Search goals and ids"
        placeholder="Search ( / )"
        className="field w-full pl-8"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
    </div>
  );
}
