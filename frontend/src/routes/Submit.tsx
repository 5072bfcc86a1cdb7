import { useEffect, useRef, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { toast } from "sonner";
import { about, pipelines } from "../api/queries";
import { useSubmit, useSubmitArchive } from "../api/mutations";
import { BudgetFields } from "../components/BudgetFields";
import { Button } from "../components/Button";
import { Equal } from "../components/Equal";
import { Field } from "../components/Field";
import { GoalField } from "../components/GoalField";
import { Failure, Notice } from "../components/Notice";
import { PartFields } from "../components/PartFields";
import { SourceFields } from "../components/SourceFields";
import { Templates } from "../components/Templates";
import { useClickKey } from "../hooks/useClickKey";
import { EMPTY, useDraft, type Draft } from "../hooks/useDraft";
import { useMay } from "../hooks/useMay";
import { useTitle } from "../hooks/useTitle";
import { bodyOf, formOf } from "../task/submission";

export function Submit() {
  useTitle("New task");
  const { draft, change, forget, stored } = useDraft();
  const [chosen, setArchive] = useState<File>();
  const [cleared, setCleared] = useState(0);
  const archive = draft.source === "files" ? chosen : undefined;
  const key = useClickKey(draft, archive);
  const known = useQuery(pipelines);
  const host = useQuery(about);
  const why = useMay().why("submitter");
  const [submit, submitArchive] = [useSubmit(), useSubmitArchive()];
  const navigate = useNavigate();
  const pending = submit.isPending || submitArchive.isPending;
  const error = archive ? submitArchive.error : submit.error;
  const pipeline = known.data?.pipelines.find((one) => one.name === (draft.pipeline || known.data.default));
  const untested = draft.goal.trim() !== "" && draft.source === "files" && !archive && !draft.files.some((file) => file.isTest);
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  const send = async () => {
    const sent = archive
      ? submitArchive.mutateAsync({ form: formOf(draft, archive), key })
      : submit.mutateAsync({ body: bodyOf(draft), key });
    // An error is shown below.
    const accepted = await sent.catch(() => undefined);
    if (!accepted) return;
    // Also for whoever has gone elsewhere meanwhile: the same draft would be another task.
    forget();
    if (here.current) void navigate(`/tasks/${accepted.id}`);
  };
  /** In place of what is there, which can be had back. */
  const replace = (part: Partial<Draft>, said: string) => {
    const [before, packed] = [draft, archive];
    setArchive(undefined);
    change({ ...EMPTY, ...part });
    if (before.goal.trim() === "" && before.files.length === 0 && !packed) return;
    toast(said, { action: { label: "Undo", onClick: () => (setArchive(packed), change(before)) } });
  };
  return (
    <form
      className="mx-auto max-w-4xl space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!pending && !why) void send();
      }}
    >
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h1 className="text-lg font-semibold">New task</h1>
        <Templates key={cleared} onChoose={(part) => replace(part, "The sample took the place of what was here")} />
      </div>
      {why && <Notice look="warn">{why} You can look at this page, but not submit.</Notice>}
      {host.data?.replay && (
        <Notice>
          This host answers from recordings, without a model: only the samples, as they are, can be worked on. Choose one
          above.
        </Notice>
      )}
      <GoalField goal={draft.goal} most={host.data?.limits.goal_bytes} onChange={(goal) => change({ goal })} />
      <SourceFields
        draft={draft}
        onChange={change}
        archive={archive}
        onArchive={setArchive}
        gitDirs={host.data?.git_dirs ?? []}
        gitUrls={host.data?.git_urls ?? []}
        limits={host.data?.limits}
      />
      {stored === "without files" && (
        <Notice look="warn">The files are too large for this browser to keep: a reload loses them.</Notice>
      )}
      {stored === "nothing" && (
        <Notice look="warn">This browser has no room left to keep what you write: a reload loses it.</Notice>
      )}
      <fieldset className="panel grid grid-cols-2 gap-3 p-3 lg:grid-cols-5">
        <legend className="sr-only">Pipeline and budget</legend>
        <Field
          label="Pipeline"
          className="col-span-2 lg:col-span-1"
          hint={
            pipeline
              ? [pipeline.builder.name, pipeline.checker.name, pipeline.fixer?.name].filter(Boolean).join(" → ") +
                (known.data?.pipelines.length === 1 ? "; more: [pipelines.NAME] in aiagent.toml" : "")
              : "\u00a0"
          }
        >
          {(field) => (
            <select
              {...field}
              className="field w-full"
              value={draft.pipeline}
              onChange={(event) => change({ pipeline: event.target.value, steps: {} })}
            >
              <option value="">{known.data?.default ?? "default"}</option>
              {known.data?.pipelines
                .filter((one) => one.name !== known.data.default)
                .map((one) => <option key={one.name}>{one.name}</option>)}
            </select>
          )}
        </Field>
        <BudgetFields draft={draft} usual={host.data?.budget} rounds={pipeline?.max_rounds} onChange={change} />
      </fieldset>
      <details className="panel" open={draft.protected !== "" || Object.keys(draft.steps).length > 0 || undefined}>
        <summary className="px-3 py-2">More: other parts, protected files, queue</summary>
        <div className="space-y-3 border-t border-line p-3">
          <PartFields pipeline={pipeline} value={draft.steps} onChange={(steps) => change({ steps })} />
          <div className="grid gap-3 sm:grid-cols-[2fr_1fr_1fr]">
            <Field
              label="Protected files"
              hint={`globs, one a line, that no step may change; beside the tests${
                pipeline?.protected.length ? ` and ${pipeline.protected.join(", ")}` : ""
              }`}
            >
              {(field) => (
                <textarea
                  {...field}
                  rows={2}
                  spellCheck={false}
                  className="field font-mono text-xs"
                  placeholder={"ci/**\n*.lock"}
                  value={draft.protected}
                  onChange={(event) => change({ protected: event.target.value })}
                />
              )}
            </Field>
            <Field label="Queue">
              {(field) => (
                <input
                  {...field}
                  className="field w-full"
                  placeholder="default"
                  value={draft.queue}
                  onChange={(event) => change({ queue: event.target.value })}
                />
              )}
            </Field>
            <Field label="Priority" hint="0 to 9, the highest first; default: 5">
              {(field) => (
                <input
                  {...field}
                  type="number"
                  min={0}
                  max={9}
                  className="field w-full"
                  value={draft.priority}
                  onChange={(event) => change({ priority: event.target.value })}
                />
              )}
            </Field>
          </div>
        </div>
      </details>
      {untested && (
        <Notice look="warn">
          No file is marked as a test. What is built is judged by tests alone: without one, {pipeline?.checker.name ?? "the checker"}{" "}
          has nothing to go by. Type or drop one above.
        </Notice>
      )}
      {error && <Failure error={error} />}
      <div className="flex flex-wrap items-center gap-2">
        <Button look="main" type="submit" refused={why} disabled={pending || draft.goal.trim() === ""}>
          {pending ? "Submitting…" : "Submit"}
        </Button>
        <span className="text-xs text-soft">Ctrl-Enter in the goal submits, too</span>
        <span className="flex-1" />
        <Button look="quiet" onClick={() => (replace({}, "All is cleared"), setCleared(cleared + 1))}>
          Clear all
        </Button>
      </div>
      {draft.goal.trim() !== "" && <Equal draft={draft} archive={archive} />}
    </form>
  );
}
