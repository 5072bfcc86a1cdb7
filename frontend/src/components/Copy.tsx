import { useState } from "react";
import { Check, Copy as CopyIcon } from "lucide-react";
import { Button } from "./Button";

export function Copy({ text, label = "Copy" }: { text: string | (() => string); label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    setDone(await put(typeof text === "string" ? text : text()));
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

/** Without `navigator.clipboard`, which is missing over plain HTTP from another machine, the old way. */
async function put(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return true;
  }
  const area = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
  area.style.position = "fixed";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
