import { useEffect } from "react";

export type Icon = "idle" | "running" | "green" | "failed";

/** The tab's title and icon. */
export function useTitle(title: string, icon: Icon = "idle") {
  useEffect(() => {
    document.title = `${title} · aiagent-host`;
    document.getElementById("favicon")?.setAttribute("href", `/${icon}.svg`);
  }, [title, icon]);
}
