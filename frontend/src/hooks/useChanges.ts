import { useEffect, useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import type { Connection } from "../task/feed";

/** Asks again for what is on the page when a task may have changed. */
export function useChanges(): Connection {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>("connecting");
  useEffect(() => {
    const source = new EventSource("/api/v1/changes");
    let [asking, again] = [false, false];
    // A new question would call the one before off, and where news comes faster than answers, none would arrive.
    const ask = async () => {
      again = true;
      if (asking) return;
      asking = true;
      while (again && source.readyState !== EventSource.CLOSED) {
        again = false;
        await queries.invalidateQueries({ queryKey: ["live"] });
      }
      asking = false;
    };
    source.addEventListener("changed", () => void ask());
    source.onopen = () => {
      setConnection("live");
      // Whatever happened while nobody listened.
      void ask();
    };
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return setConnection("reconnecting");
      setConnection("refused");
      // Logged out, perhaps: then the page asks for the token.
      void queries.invalidateQueries({ queryKey: ["session"] });
    };
    return () => source.close();
  }, [queries]);
  return connection;
}
