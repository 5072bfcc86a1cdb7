import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

/**
 * What the page's address asks for, and how to change some of it, in place; what becomes empty is left out.
 * `prefix`: of the names in the address, where a page has the same part twice.
 */
export function useAddress(prefix = "") {
  const [all, setAll] = useSearchParams();
  const params = useMemo(() => {
    const own = [...all].filter(([name]) => name.startsWith(prefix));
    return new URLSearchParams(own.map(([name, value]) => [name.slice(prefix.length), value]));
  }, [all, prefix]);
  const change = useCallback(
    (parts: Record<string, string>) =>
      setAll(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(parts)) {
            if (value) next.set(prefix + name, value);
            else next.delete(prefix + name);
          }
          return next;
        },
        { replace: true, preventScrollReset: true },
      ),
    [setAll, prefix],
  );
  return [params, change] as const;
}
