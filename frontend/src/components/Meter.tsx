interface Props {
  label: string;
  value: number;
  /** `undefined`: no limit. */
  limit?: number;
  show: (value: number) => string;
  /** In place of the value, where it is unknown. */
  unknown?: string;
}

/** How much of a budget is spent. */
export function Meter({ label, value, limit, show, unknown }: Props) {
  const share = limit ? Math.min(1, value / limit) : 0;
  const colour = share >= 1 ? "bg-bad" : share > 0.8 ? "bg-warn" : "bg-accent";
  return (
    <div className="min-w-0">
      <div className="flex items-baseline justify-between gap-2 text-xs">
        <span className="text-soft">{label}</span>
        <span className="truncate tabular-nums">
          {unknown ?? show(value)}
          {limit !== undefined && <span className="text-soft"> of {show(limit)}</span>}
        </span>
      </div>
      <div
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={limit ?? Math.max(1, value)}
        aria-valuenow={Math.min(value, limit ?? value)}
        aria-valuetext={unknown ?? `${show(value)}${limit === undefined ? "" : ` of ${show(limit)}`}`}
        className="mt-1 h-1.5 overflow-hidden rounded-full bg-sunken"
      >
        <div className={`h-full rounded-full ${colour}`} style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}
