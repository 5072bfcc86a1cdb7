import { useEffect } from "react";
import { useQueryClient } from "@tanstack/react-query";

/** Asks again for what is on the page when a task may have changed. */
export function useChanges() {
  const queries = useQueryClient();
  useEffect(() => {
    const source = new EventSource("/api/v1/changes");
    source.addEventListener("changed", () => void queries.invalidateQueries({ queryKey: ["live"] }));
    return () => source.close();
  }, [queries]);
}
