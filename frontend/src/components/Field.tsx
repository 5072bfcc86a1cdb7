import { useId, type ReactNode } from "react";

interface Props {
  label: string;
  /** Said after the field, and read with it. */
  hint?: ReactNode;
  className?: string;
  children: (field: { id: string; "aria-describedby": string | undefined }) => ReactNode;
}

/** A field with its name above and a hint below. */
export function Field({ label, hint, className = "", children }: Props) {
  const id = useId();
  return (
    <div className={`grid min-w-0 content-start gap-1 ${className}`}>
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": hint ? `${id}hint` : undefined })}
      {hint && (
        <span id={`${id}hint`} className="foreign text-xs text-soft">
          {hint}
        </span>
      )}
    </div>
  );
}
