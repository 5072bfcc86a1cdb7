import { useCallback, useEffect, useState } from "react";

export type Theme = "system" | "light" | "dark";

function kept(): Theme {
  try {
    return (localStorage.getItem("theme") as Theme | null) ?? "system";
  } catch {
    return "system";
  }
}

export function useTheme() {
  const [theme, setTheme] = useState(kept);
  useEffect(() => {
    const wish = matchMedia("(prefers-color-scheme: dark)");
    const apply = () =>
      document.documentElement.classList.toggle("dark", theme === "dark" || (theme === "system" && wish.matches));
    apply();
    wish.addEventListener("change", apply);
    return () => wish.removeEventListener("change", apply);
  }, [theme]);
  const choose = useCallback((next: Theme) => {
    setTheme(next);
    try {
      if (next === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch {
      // Its storage is full, or switched off: the choice holds for this visit.
    }
  }, []);
  return [theme, choose] as const;
}
