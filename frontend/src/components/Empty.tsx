import type { ReactNode } from "react";

/** Where a list will be: what it will show, and how to get there. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="px-4 py-12 text-center">
      <p className="text-base font-medium">{title}</p>
      <div className="mx-auto mt-1 max-w-prose text-soft">{children}</div>
    </div>
  );
}

/** Keeps the place of what is still on its way, so that nothing jumps. */
export function Loading({ lines = 3 }: { lines?: number }) {
  return (
    <div role="status" aria-label="Loading" className="space-y-2 p-4">
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className="pulse h-4 rounded bg-sunken" style={{ width: `${90 - line * 17}%` }} />
      ))}
    </div>
  );
}
