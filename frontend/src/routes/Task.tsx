import { lazy, Suspense, useCallback, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { ApiError } from "../api/client";
import { task as taskQuery } from "../api/queries";
import { AgainDialog } from "../components/AgainDialog";
import { Loading } from "../components/Empty";
import { Lost } from "../components/Lost";
import { LogView } from "../components/LogView";
import { Failure, Notice } from "../components/Notice";
import { Reports } from "../components/Reports";
import { Tabs } from "../components/Tabs";
import { TaskHead } from "../components/TaskHead";
import { Timeline } from "../components/Timeline";
import { Writing } from "../components/Writing";
import { reason } from "../format";
import { beganWith } from "../task/rounds";
import type { Step } from "../task/story";
import { useChanges } from "../hooks/useChanges";
import { useMay } from "../hooks/useMay";
import { useKeys } from "../hooks/useKeys";
import { useStory } from "../hooks/useStory";
import { useTitle, type Icon } from "../hooks/useTitle";

const Changes = lazy(async () => ({ default: (await import("../components/Changes")).Changes }));
const Files = lazy(async () => ({ default: (await import("../components/Files")).Files }));
const Attempts = lazy(async () => ({ default: (await import("../components/Attempts")).Attempts }));

const TABS = ["story", "checks", "changes", "log", "attempts", "files"] as const;
type Tab = (typeof TABS)[number];
const TITLES = TABS.map((name, index) => [name, name[0]!.toUpperCase() + name.slice(1), `${name} (${index + 1})`] as const);

export function Task() {
  const { id = "" } = useParams();
  return <OneTask key={id} id={id} />;
}

function OneTask({ id }: { id: string }) {
  const found = useQuery(taskQuery(id));
  const { story, connection, status } = useStory(id, found.data);
  // It may be retried, or run again, by somebody else; a tab has one connection at a time.
  useChanges(connection === "ended" ? id : null);
  const [params, setParams] = useSearchParams();
  const navigate = useNavigate();
  const may = useMay();
  const asked = params.get("tab") as Tab | null;
  // A link to a line of the log opens the log.
  const tab = asked && TABS.includes(asked) ? asked : location.hash.startsWith("#L") ? "log" : "story";
  // A page of the history each, so that Back leads to the tab before.
  const show = (next: Tab, more: Record<string, string> = {}) => {
    if (next !== tab || Object.keys(more).length > 0) setParams({ tab: next, ...more });
  };
  useKeys(Object.fromEntries(TABS.map((name, index) => [String(index + 1), () => show(name)])));
  const toLine = useCallback((line: number) => void navigate({ search: "tab=log", hash: `L${line}` }), [navigate]);
  const toChecks = useCallback(() => setParams({ tab: "checks" }), [setParams]);
  // The round to run again from; 0 for the submitted files.
  const [again, setAgain] = useState<number>();
  const task = found.data;
  const againFrom = useCallback((step: Step) => task && setAgain(beganWith(task, step.round)), [task]);
  const outcome = task?.outcome && reason(task.outcome.reason);
  const icon: Icon = !task || task.state === "queued" ? "idle" : !outcome ? "running" : outcome.good ? "green" : "failed";
  useTitle(task ? `${outcome?.short ?? task.state} · ${task.spec.goal.slice(0, 60)}` : "Task", icon);

  if (found.isPending) return <Loading lines={6} />;
  if (found.isLoadingError) {
    const gone = found.error instanceof ApiError && found.error.status === 404;
    return gone ? (
      <Notice look="warn">There is no task {id}. It may have been deleted after its time.</Notice>
    ) : (
      <Failure error={found.error} retry={() => void found.refetch()} />
    );
  }
  const version = `${found.data.rounds.length} ${found.data.state}`;
  return (
    <div className="space-y-3">
      <TaskHead task={found.data} story={story} onAgain={() => setAgain(0)} />
      {again !== undefined && <AgainDialog task={found.data} from={again} onClose={() => setAgain(undefined)} />}
      <Lost link={{ connection, status }} what="this task's events" />
      <Tabs label="Parts of the task" tabs={TITLES} at={tab} onChange={show}>
        <Suspense fallback={<Loading lines={5} />}>
          {tab === "story" && (
            <div className="grid gap-3 xl:grid-cols-2">
              <Timeline story={story} task={found.data} onLine={toLine} onChecks={toChecks} onAgain={may.is("submitter") ? againFrom : undefined} />
              <Writing story={story} />
            </div>
          )}
          {tab === "checks" && (
            <Reports
              rounds={found.data.rounds}
              best={found.data.best ?? undefined}
              onAgain={may.is("submitter") ? setAgain : undefined}
              onChanges={(round) => show("changes", { round: String(round), from: String(beganWith(found.data, round)) })}
              onPlace={(round, path, line) => show("changes", { round: String(round), file: path, line: String(line) })}
            />
          )}
          {tab === "changes" && <Changes task={found.data} version={version} />}
          {tab === "log" && <LogView name={id} lines={story.lines} live={!story.ended} />}
          {tab === "attempts" && <Attempts task={found.data} version={version} isWriting={story.isWriting} />}
          {tab === "files" && <Files task={found.data} version={version} />}
        </Suspense>
      </Tabs>
    </div>
  );
}
