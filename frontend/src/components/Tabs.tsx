import type { ReactNode } from "react";

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
  const to = (index: number) => {
    const [name] = tabs[(index + tabs.length) % tabs.length]!;
    onChange(name);
    document.getElementById(`tab-${name}`)?.focus();
  };
  return (
    <>
      <div role="tablist" aria-label={label} className="flex gap-1 overflow-x-auto border-b border-line">
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
            className={`-mb-px border-b-2 px-3 py-1.5 whitespace-nowrap ${name === at ? "border-accent font-medium text-accent" : "border-transparent text-soft hover:text-ink"}`}
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
