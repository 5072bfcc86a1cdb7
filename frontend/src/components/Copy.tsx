import { useState } from "react";
import { Check, Copy as CopyIcon } from "lucide-react";
import { Button } from "./Button";

export function Copy({ text, label = "Copy" }: { text: string | (() => string); label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(typeof text === "string" ? text : text());
    setDone(true);
  };
  const Icon = done ? Check : CopyIcon;
  return (
    <Button look="quiet" onClick={() => void copy()} onBlur={() => setDone(false)} title={label} aria-label={label}>
      <Icon className="size-3.5" aria-hidden />
      <span aria-live="polite" className="sr-only">
        {done ? "Copied" : ""}
      </span>
    </Button>
  );
}
