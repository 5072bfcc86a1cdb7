import type { ReactNode } from "react";
import { CircleAlert, Info, TriangleAlert } from "lucide-react";

const LOOKS = {
  info: [Info, "bg-accent-wash text-ink"],
  warn: [TriangleAlert, "bg-warn-wash text-warn"],
  bad: [CircleAlert, "bg-bad-wash text-bad"],
} as const;

/** A banner: something the reader should know before going on. */
export function Notice({ look = "info", children }: { look?: keyof typeof LOOKS; children: ReactNode }) {
  const [Icon, colours] = LOOKS[look];
  return (
    <div role={look === "bad" ? "alert" : "status"} className={`flex items-start gap-2 rounded-md px-3 py-2 ${colours}`}>
      <Icon className="mt-0.5 size-4 shrink-0" aria-hidden />
      <div className="foreign min-w-0 flex-1">{children}</div>
    </div>
  );
}

/** What went wrong while the page asked for something. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <Notice look="bad">
      {error.message}{" "}
      {retry && (
        <button type="button" className="underline" onClick={retry}>
          Try again
        </button>
      )}
    </Notice>
  );
}
