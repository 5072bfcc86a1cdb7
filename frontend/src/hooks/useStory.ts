import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { coalesced } from "../api/coalesced";
import type { Task } from "../api/client";
import { Feed } from "../task/feed";

/** A task's events so far, and those to come. */
export function useStory(id: string, task: Task | undefined) {
  const feed = useMemo(() => new Feed(id), [id]);
  const told = useSyncExternalStore(feed.subscribe, feed.getSnapshot);
  const queries = useQueryClient();
  const again = useMemo(
    () =>
      coalesced(() =>
        Promise.all([
          queries.invalidateQueries({ queryKey: ["task", id] }),
          queries.invalidateQueries({ queryKey: ["live", "children", id] }),
        ]),
      ),
    [queries, id],
  );
  // What is read from other routes changes when a step is over, not with each token.
  const { story, status } = told;
  const settled = `${story.turns} ${story.ended}`;
  useEffect(() => again.now(), [again, settled]);
  useEffect(() => {
    // Logged out: then the page asks for the token.
    if (status === 401) void queries.invalidateQueries({ queryKey: ["session"] });
  }, [queries, status]);
  // A task that had ended was queued again, and may have ended anew since.
  const end = task?.state === "ended" ? task.ended_at : undefined;
  const before = useRef(end);
  useEffect(() => {
    if (before.current !== undefined && before.current !== end) feed.resume();
    before.current = end;
  }, [feed, end]);
  return told;
}
