import { useEffect, useMemo, useSyncExternalStore } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { Feed } from "../task/feed";

/** A task's events so far, and those to come. */
export function useStory(id: string) {
  const feed = useMemo(() => new Feed(id), [id]);
  const told = useSyncExternalStore(feed.subscribe, feed.getSnapshot);
  const queries = useQueryClient();
  // What is read from other routes changes when a step is over, not with each token.
  const { story } = told;
  const milestones = story.steps.length + story.steps.filter((step) => step.to !== undefined).length;
  const settled = `${milestones} ${story.ended}`;
  useEffect(() => {
    void queries.invalidateQueries({ queryKey: ["task", id] });
    void queries.invalidateQueries({ queryKey: ["live", "children", id] });
  }, [queries, id, settled]);
  return told;
}
