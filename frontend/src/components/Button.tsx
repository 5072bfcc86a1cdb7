import type { ButtonHTMLAttributes } from "react";
import { toast } from "sonner";

const LOOKS = {
  plain: "border border-line bg-panel hover:bg-sunken",
  main: "border border-transparent bg-accent text-accent-ink hover:opacity-90 font-medium",
  bad: "border border-line bg-panel text-bad hover:bg-bad-wash",
  quiet: "border border-transparent text-soft hover:bg-sunken hover:text-ink",
};

export const buttonLook = (look: keyof typeof LOOKS = "plain") =>
  `inline-flex min-h-7 items-center gap-1.5 rounded-md px-2.5 py-1 whitespace-nowrap disabled:opacity-50 aria-disabled:opacity-50 ${LOOKS[look]}`;

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: keyof typeof LOOKS;
  /** Why whoever is logged in may not. It stays within reach, so that everybody can learn why. */
  refused?: string;
}

export function Button({ look = "plain", className = "", refused, ...rest }: Props) {
  const barred = refused !== undefined && {
    "aria-disabled": true,
    "aria-description": refused,
    title: refused,
    type: "button" as const,
    onClick: () => toast(refused),
  };
  return <button type="button" className={`${buttonLook(look)} ${className}`} {...rest} {...barred} />;
}
