import { useCallback, useMemo, useState } from "react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "react-router";
import { SquarePen } from "lucide-react";
import { plugins, queues, tasks as tasksQuery, workers } from "../api/queries";
import { BulkActions } from "../components/BulkActions";
import { buttonLook, Button } from "../components/Button";
import { Empty, Loading } from "../components/Empty";
import { Lost } from "../components/Lost";
import { Failure, Notice } from "../components/Notice";
import { TaskFilters } from "../components/TaskFilters";
import { TaskTable } from "../components/TaskTable";
import { count, duration, plural } from "../format";
import { useChanges } from "../hooks/useChanges";
import { useKeys } from "../hooks/useKeys";
import { useNow } from "../hooks/useNow";
import { useTaskFilter } from "../hooks/useTaskFilter";
import { useTitle } from "../hooks/useTitle";

/** How long a task may wait before its reader is told that perhaps nobody works. */
const LONG_WAIT_MS = 10_000;

export function Tasks() {
  const link = useChanges();
  useTitle("Tasks");
  const { wish, isSet, clear } = useTaskFilter();
  const found = useInfiniteQuery({ ...tasksQuery(wish), placeholderData: (before) => before });
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.tasks) ?? [], [found.data]);
  // By its id: others come above it while it is looked at.
  const [at, setAt] = useState<string>();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  // What is not on the page any more is not selected either.
  const [of, setOf] = useState(wish);
  if (of !== wish) {
    setOf(wish);
    setSelected(new Set());
  }
  const navigate = useNavigate();
  const toggle = useCallback(
    (id: string) =>
      setSelected((before) => {
        const next = new Set(before);
        if (!next.delete(id)) next.add(id);
        return next;
      }),
    [],
  );
  const move = (step: number) => {
    const from = rows.findIndex((row) => row.id === at);
    const to = from < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, from + step));
    setAt(rows[to]?.id);
  };
  const current = rows.find((row) => row.id === at);
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: () => current && void navigate(`/tasks/${current.id}`),
    x: () => current && toggle(current.id),
  });
  return (
    <div className="space-y-3">
      <div className="flex items-center justify-between gap-3">
        <h1 className="text-lg font-semibold">Tasks</h1>
        <Link to="/submit" className={buttonLook("main")}>
          <SquarePen className="size-4" aria-hidden /> New task
        </Link>
      </div>
      <Lost link={link} what="changes of tasks" />
      <Trouble />
      <TaskFilters />
      <div className="panel overflow-hidden">
        {found.isPending ? (
          <Loading lines={5} />
        ) : found.isLoadingError ? (
          <div className="p-3">
            <Failure error={found.error} retry={() => void found.refetch()} />
          </div>
        ) : rows.length > 0 ? (
          <TaskTable rows={rows} at={at} selected={selected} onToggle={toggle} onSelect={setSelected} />
        ) : isSet ? (
          <Empty title="No task is like that">
            <Button onClick={clear}>Clear the filters</Button>
          </Empty>
        ) : (
          <Empty title="No task yet">
            A task is a goal in words and, best, tests that say when it is reached. It is built, checked and fixed until
            the tests pass or the budget is spent. <br />
            <Link to="/submit" className={`${buttonLook("main")} mt-3`}>
              Submit one, or try a sample
            </Link>
          </Empty>
        )}
      </div>
      <BulkActions
        selected={selected}
        more={found.hasNextPage || selected.size < rows.length}
        wish={wish}
        onDone={() => setSelected(new Set())}
      />
      {found.hasNextPage && (
        <div className="text-center">
          <Button onClick={() => void found.fetchNextPage()} disabled={found.isFetchingNextPage}>
            Older tasks
          </Button>
        </div>
      )}
    </div>
  );
}

/** What keeps tasks from being worked on. */
function Trouble() {
  const catalog = useQuery(plugins);
  const staff = useQuery(workers);
  const line = useQuery(queues);
  const stats = line.data?.tasks;
  const waits = stats?.oldest_queued_at ?? undefined;
  const now = useNow(waits !== undefined);
  const paused = line.data?.queues.filter((queue) => queue.paused && queue.waiting > 0) ?? [];
  if (catalog.data && !catalog.data.loaded.some((plugin) => plugin.kind === "builder")) {
    return (
      <Notice look="warn">
        No builder is loaded, so no task can be built.{" "}
        <Link to="/plugins" className="underline">
          See what was refused, and why
        </Link>
        , or start the host with <code>--plugins DIR</code>.
      </Notice>
    );
  }
  if (paused.length > 0) {
    return (
      <Notice look="warn">
        {plural(paused.reduce((sum, queue) => sum + queue.waiting, 0), "task")} waiting in what is paused:{" "}
        {paused.map((queue) => queue.name).join(", ")}.{" "}
        <Link to="/workers" className="underline">
          Resume it there
        </Link>
      </Notice>
    );
  }
  if (stats && stats.queued > 0 && staff.data?.workers.length === 0) {
    return (
      <Notice look="warn">
        {count(stats.queued)} waiting, and no worker is polling. <code>aiagent-host --role worker</code> on the same store
        starts one.
      </Notice>
    );
  }
  if (stats && waits !== undefined && stats.running === 0 && now - waits > LONG_WAIT_MS) {
    return (
      <Notice look="warn">
        {count(stats.queued)} waiting, the first for {duration(now - waits)}, and no worker has taken a task.{" "}
        <Link to="/workers" className="underline">
          See who works
        </Link>
      </Notice>
    );
  }
  return null;
}
