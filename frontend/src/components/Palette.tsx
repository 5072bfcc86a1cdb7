import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { client, unwrap } from "../api/client";
import { useMay } from "../hooks/useMay";
import { PLACES } from "./places";
import { Dialog } from "./Dialog";

/** Goes to a page, or to a task by its id or its words. */
export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="Go to" open={open} onClose={onClose} wide>
      <Choices onClose={onClose} />
    </Dialog>
  );
}

function Choices({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const found = useQuery({
    queryKey: ["live", "palette", text],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/v1/tasks", { signal, params: { query: { limit: 8, text: text || undefined } } })),
    placeholderData: (before) => before,
  });
  const wanted = text.toLowerCase();
  const may = useMay();
  const places = PLACES.filter((place) => may.is(place.least ?? "viewer") && place.label.toLowerCase().includes(wanted)).map((place) => ({
    key: place.to,
    to: place.to,
    label: place.label,
    hint: "page",
  }));
  const tasks = (found.data?.tasks ?? []).map((task) => ({
    key: task.id,
    to: `/tasks/${task.id}`,
    label: task.goal,
    hint: task.id.slice(-6),
  }));
  const choices = [...places, ...tasks];
  const chosen = Math.min(at, choices.length - 1);
  const go = (to: string | undefined) => {
    if (!to) return;
    onClose();
    void navigate(to);
  };
  return (
    <>
      <input
        autoFocus
        role="combobox"
        aria-expanded
        aria-controls="palette"
        aria-activedescendant={choices[chosen] ? `go-${chosen}` : undefined}
        aria-label="Page, words of a goal, or a task's id"
        placeholder="Page, words of a goal, or a task's id"
        className="field w-full"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step) {
            event.preventDefault();
            setAt((chosen + step + choices.length) % Math.max(1, choices.length));
          } else if (event.key === "Enter" && !(found.isPlaceholderData && chosen >= places.length)) {
            // Not to a task that was found for other words.
            go(choices[chosen]?.to);
          }
        }}
      />
      <ul id="palette" role="listbox" aria-label="Places" className="mt-2">
        {choices.map((choice, index) => (
          <li
            key={choice.key}
            id={`go-${index}`}
            role="option"
            aria-selected={index === chosen}
            className={`flex cursor-pointer gap-3 rounded px-2 py-1 ${index === chosen ? "bg-accent-wash" : ""}`}
            onClick={() => go(choice.to)}
          >
            <span className="foreign line-clamp-1 flex-1">{choice.label}</span>
            <span className="font-mono text-xs text-soft">{choice.hint}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
