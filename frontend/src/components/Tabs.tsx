import { useEffect, useRef, type ReactNode } from "react";

interface Props<Name extends string> {
  /** What they are parts of. */
  label: string;
  tabs: readonly (readonly [name: Name, title: string, hint?: string])[];
  at: Name;
  onChange: (name: Name) => void;
  /** The part that is shown. */
  children: ReactNode;
}

export function Tabs<Name extends string>({ label, tabs, at, onChange, children }: Props<Name>) {
  const list = useRef<HTMLDivElement>(null);
  // Where not all of them have room, the one that is shown has.
  useEffect(() => {
    const [all, tab] = [list.current, document.getElementById(`tab-${at}`)];
    if (all && tab) all.scrollLeft = tab.offsetLeft - (all.clientWidth - tab.offsetWidth) / 2;
  }, [at]);
  const to = (index: number) => {
    const [name] = tabs[(index + tabs.length) % tabs.length]!;
    onChange(name);
    document.getElementById(`tab-${name}`)?.focus();
  };
  return (
    <>
      <div ref={list} role="tablist" aria-label={label} className="relative flex overflow-x-auto sm:gap-1 border-b border-line">
        {tabs.map(([name, title, hint], index) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={name === at}
            aria-controls="part"
            title={hint}
            tabIndex={name === at ? 0 : -1}
            onKeyDown={(event) => {
              const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
              if (step) to(index + step);
            }}
            onClick={() => onChange(name)}
            className={`-mb-px border-b-2 px-2 py-1.5 whitespace-nowrap sm:px-3 ${name === at ? "border-accent font-medium text-accent" : "border-transparent text-soft hover:text-ink"}`}
          >
            {title}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="part" aria-labelledby={`tab-${at}`}>
        {children}
      </div>
    </>
  );
}
