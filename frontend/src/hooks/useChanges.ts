import { useEffect, useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { coalesced } from "../api/coalesced";
import { statusOf, Stream, type Connection } from "../api/stream";

export interface Link {
  connection: Connection;
  /** Of the refusal, when refused. */
  status?: number;
}

/** An ended task changes seldom, and the others often. */
const PAUSE_MS = 2_000;

/**
 * Asks again for what is on the page when a task may have changed. `of`: a task that is followed this way,
 * now that its own events have ended; `null`: nothing is.
 */
export function useChanges(of?: string | null): Link {
  const queries = useQueryClient();
  const [link, setLink] = useState<Link>({ connection: "connecting" });
  useEffect(() => {
    if (of === null) return;
    const ask = coalesced(
      () =>
        Promise.all([
          queries.invalidateQueries({ queryKey: ["live"] }),
          of !== undefined && queries.invalidateQueries({ queryKey: ["task", of] }),
        ]),
      of === undefined ? 0 : PAUSE_MS,
    );
    const listen = () => new Stream({
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
    // A browser has six connections to a host: a page that nobody sees leaves its own to others.
    let stream: Stream | undefined;
    const look = () => {
      if (document.hidden === (stream === undefined)) return;
      stream?.close();
      stream = document.hidden ? undefined : listen();
      stream?.open();
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      ask.stop();
      stream?.close();
    };
  }, [queries, of]);
  return link;
}
