import { useEffect, useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { coalesced } from "../api/coalesced";
import { statusOf, Stream, type Connection } from "../api/stream";

export interface Link {
  connection: Connection;
  /** Of the refusal, when refused. */
  status?: number;
}

/** Asks again for what is on the page when a task may have changed. */
export function useChanges(): Link {
  const queries = useQueryClient();
  const [link, setLink] = useState<Link>({ connection: "connecting" });
  useEffect(() => {
    const ask = coalesced(() => queries.invalidateQueries({ queryKey: ["live"] }));
    const stream = new Stream({
      url: () => "/api/v1/changes",
      probe: () => statusOf(),
      types: ["changed", "resync"],
      tell: () => ask.now(),
      turn: (connection, status) => {
        setLink((before) => (before.connection === connection ? before : { connection, status }));
        // Whatever happened while nobody listened.
        if (connection === "live") ask.now();
        // Logged out, perhaps: then the page asks for the token.
        if (connection === "refused") void queries.invalidateQueries({ queryKey: ["session"] });
      },
    });
    stream.open();
    return () => {
      ask.stop();
      stream.close();
    };
  }, [queries]);
  return link;
}
