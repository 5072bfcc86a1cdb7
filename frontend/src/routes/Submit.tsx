import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { about, pipelines, samples } from "../api/queries";
import { useSubmit, useSubmitArchive } from "../api/mutations";
import { Button } from "../components/Button";
import { Copy } from "../components/Copy";
import { FileFields } from "../components/FileFields";
import { WholeGoal } from "../components/Goal";
import { Failure, Notice } from "../components/Notice";
import { count, duration, money } from "../format";
import { useClickKey } from "../hooks/useClickKey";
import { EMPTY, useDraft, type Draft } from "../hooks/useDraft";
import { useTitle } from "../hooks/useTitle";
import { bodyOf, commandOf, curlOf, formOf } from "../task/submission";

export function Submit() {
  useTitle("New task");
  const [draft, change, forget] = useDraft();
  const [archive, setArchive] = useState<File>();
  const key = useClickKey(draft, archive);
  const known = useQuery(pipelines);
  const host = useQuery(about);
  const submit = useSubmit();
  const submitArchive = useSubmitArchive();
  const navigate = useNavigate();
  const pending = submit.isPending || submitArchive.isPending;
  const error = submit.error ?? submitArchive.error;
  const done = {
    onSuccess: (accepted: { id: string }) => {
      forget();
      void navigate(`/tasks/${accepted.id}`);
    },
  };
  const send = () => {
    if (archive) submitArchive.mutate({ form: formOf(draft, archive), key }, done);
    else submit.mutate({ body: bodyOf(draft), key }, done);
  };
  return (
    <form
      className="mx-auto max-w-4xl space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!pending) send();
      }}
    >
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h1 className="text-lg font-semibold">New task</h1>
        <Templates onChoose={(part) => (setArchive(undefined), change({ ...EMPTY, ...part }))} />
      </div>
      {host.data?.replay && (
        <Notice>
          This host answers from recordings, without a model: only the samples, as they are, can be worked on. Choose one
          above.
        </Notice>
      )}
      <GoalField goal={draft.goal} onChange={(goal) => change({ goal })} />
      <FileFields
        files={draft.files}
        onChange={(files) => change({ files })}
        archive={archive}
        onArchive={setArchive}
      />
      <fieldset className="panel grid gap-3 p-3 sm:grid-cols-2 lg:grid-cols-5">
        <legend className="sr-only">Pipeline and budget</legend>
        <label className="space-y-1">
          <span className="block">Pipeline</span>
          <select
            className="field w-full"
            value={draft.pipeline}
            onChange={(event) => change({ pipeline: event.target.value })}
          >
            <option value="">{known.data?.default ?? "default"}</option>
            {known.data?.pipelines
              .filter((one) => one.name !== known.data.default)
              .map((one) => <option key={one.name}>{one.name}</option>)}
          </select>
        </label>
        <Budget draft={draft} edit={change} />
      </fieldset>
      {error && <Failure error={error} />}
      <div className="flex flex-wrap items-center gap-2">
        <Button look="main" type="submit" disabled={pending || draft.goal.trim() === ""}>
          {pending ? "Submitting…" : "Submit"}
        </Button>
        <span className="text-xs text-soft">Ctrl-Enter in the goal submits, too</span>
        <span className="flex-1" />
        <Button look="quiet" onClick={() => (setArchive(undefined), change(EMPTY))}>
          Clear all
        </Button>
      </div>
      {!archive && draft.goal.trim() !== "" && <Equal draft={draft} />}
    </form>
  );
}

function GoalField({ goal, onChange }: { goal: string; onChange: (goal: string) => void }) {
  const [preview, setPreview] = useState(false);
  return (
    <div className="space-y-1">
      <div className="flex items-center justify-between">
        <label htmlFor="goal" className="font-medium">
          Goal
        </label>
        <Button look="quiet" aria-pressed={preview} disabled={goal.trim() === ""} onClick={() => setPreview(!preview)}>
          {preview ? "Write" : "Preview"}
        </Button>
      </div>
      {preview ? (
        <div className="panel min-h-28 p-3">
          <WholeGoal text={goal} />
        </div>
      ) : (
        <textarea
          id="goal"
          required
          rows={5}
          className="field w-full"
          placeholder="Write slug.py with slugify(text) that makes a URL slug. Markdown is fine."
          value={goal}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
          }}
        />
      )}
    </div>
  );
}

function Templates({ onChoose }: { onChoose: (part: Partial<Draft>) => void }) {
  const found = useQuery(samples);
  return (
    <label className="flex items-center gap-2">
      <span className="text-soft">Begin with a sample</span>
      <select
        className="field"
        value=""
        onChange={(event) => {
          const sample = found.data?.find((one) => one.name === event.target.value);
          if (!sample) return;
          onChoose({
            goal: sample.goal,
            files: sample.files.map((file) => ({ ...file, isTest: file.path.startsWith("test_") })),
          });
        }}
      >
        <option value="">choose…</option>
        {found.data?.map((sample) => <option key={sample.name}>{sample.name}</option>)}
      </select>
    </label>
  );
}

function Budget({ draft, edit }: { draft: Draft; edit: (part: Partial<Draft>) => void }) {
  const host = useQuery(about);
  const known = useQuery(pipelines);
  const pipeline = known.data?.pipelines.find((one) => one.name === (draft.pipeline || known.data.default));
  const limits = host.data?.budget;
  const field = (name: "rounds" | "tokens" | "cost" | "minutes", label: string, usual: string | undefined, step = "1") => (
    <label className="space-y-1">
      <span className="block">{label}</span>
      <input
        type="number"
        min={name === "rounds" ? 1 : 0}
        step={step}
        className="field w-full"
        placeholder={usual}
        value={draft[name]}
        onChange={(event) => edit({ [name]: event.target.value })}
      />
    </label>
  );
  return (
    <>
      {field("rounds", "Rounds", pipeline && count(pipeline.max_rounds))}
      {field("tokens", "Tokens", limits && (limits.tokens ? count(limits.tokens) : "no limit"))}
      {field("cost", "Cost", limits && (limits.cost_micros ? money(limits.cost_micros) : "no limit"), "any")}
      {field("minutes", "Minutes", limits && duration(limits.wall_ms), "any")}
    </>
  );
}

function Equal({ draft }: { draft: Draft }) {
  const forms = [
    ["curl", curlOf(draft, location.origin)],
    ["aiagent-host", commandOf(draft, location.origin)],
  ] as const;
  return (
    <details className="panel">
      <summary className="px-3 py-2">The same from a terminal</summary>
      {forms.map(([name, text]) => (
        <div key={name} className="border-t border-line px-3 py-2">
          <div className="flex items-center justify-between text-xs text-soft">
            {name} <Copy text={text} label={`Copy the ${name} command`} />
          </div>
          <pre className="foreign max-h-60 overflow-auto text-xs whitespace-pre-wrap" tabIndex={0} aria-label={`${name} command`}>
            {text}
          </pre>
        </div>
      ))}
    </details>
  );
}
