import type { ButtonHTMLAttributes } from "react";

const LOOKS = {
  plain: "border border-line bg-panel hover:bg-sunken",
  main: "border border-transparent bg-accent text-accent-ink hover:opacity-90 font-medium",
  bad: "border border-line bg-panel text-bad hover:bg-bad-wash",
  quiet: "border border-transparent text-soft hover:bg-sunken hover:text-ink",
};

export const buttonLook = (look: keyof typeof LOOKS = "plain") =>
  `inline-flex min-h-7 items-center gap-1.5 rounded-md px-2.5 py-1 whitespace-nowrap disabled:opacity-50 ${LOOKS[look]}`;

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: keyof typeof LOOKS;
}

export function Button({ look = "plain", className = "", ...rest }: Props) {
  return <button type="button" className={`${buttonLook(look)} ${className}`} {...rest} />;
}
