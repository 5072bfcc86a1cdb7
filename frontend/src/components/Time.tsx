import { duration, local, utc } from "../format";

/** A moment, local; the exact one on hover. */
export function Time({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={utc(at)} className="whitespace-nowrap tabular-nums">
      {local(at)}
    </time>
  );
}

export function Ago({ at, now }: { at: number; now: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={utc(at)} className="whitespace-nowrap tabular-nums">
      {duration(Math.max(0, now - at)).replace(/\.\d s/, " s")} ago
    </time>
  );
}
