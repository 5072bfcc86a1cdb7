import { useState } from "react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { toast } from "sonner";
import type { Steps, Task } from "../api/client";
import { useAgain } from "../api/mutations";
import { files as filesQuery, pipelines } from "../api/queries";
import { draftFile } from "../task/files";
import { partsApart, spentOf } from "../task/rounds";
import { draftOf, some } from "../task/submission";
import { useClickKey } from "../hooks/useClickKey";
import { EMPTY, keep, kept } from "../hooks/useDraft";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Field } from "./Field";
import { Failure } from "./Notice";
import { PartFields } from "./PartFields";
import { RoundSelect } from "./RoundSelect";

interface Props {
  task: Task;
  /** The round whose tree it begins with; 0: the submitted files. */
  from?: number;
  onClose: () => void;
}

/** Runs a task again, with another goal, pipeline, budget or starting point. */
export function AgainDialog({ task, from = 0, onClose }: Props) {
  const known = useQuery(pipelines);
  const again = useAgain(task.id);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [goal, setGoal] = useState(task.spec.goal);
  const [pipeline, setPipeline] = useState(task.spec.pipeline.name);
  const [round, setRound] = useState(from);
  // With as many as were not enough it would end the same way.
  const usual = task.spec.budget.rounds * (task.outcome && spentOf(task) === "rounds" ? 2 : 1);
  const [rounds, setRounds] = useState(usual);
  // What was chosen for the first run stays chosen.
  const [wished, setSteps] = useState<Steps>();
  const choices = known.data?.pipelines ?? [task.spec.pipeline];
  const chosen = choices.find((one) => one.name === pipeline);
  const steps = wished ?? (chosen?.name === task.spec.pipeline.name ? partsApart(task.spec.pipeline, chosen) : {});
  const body = {
    goal: goal === task.spec.goal ? undefined : goal,
    pipeline,
    round: round || undefined,
    budget: { rounds },
    steps: some(steps),
  };
  const key = useClickKey(goal, pipeline, round, rounds, JSON.stringify(steps));
  const send = () =>
    again.mutate(
      { key, body },
      {
        onSuccess: (accepted) => {
          onClose();
          void navigate(`/tasks/${accepted.id}`);
        },
      },
    );
  const edit = useMutation({
    mutationFn: async () => {
      const packed = await queries.fetchQuery(filesQuery(task.id, 0, ""));
      const files = await Promise.all(packed.map(({ path, bytes }) => draftFile(path, new Blob([bytes as BlobPart]))));
      const before = kept();
      if ((before.goal || before.gitPath || before.files.length > 0) && !window.confirm("New task holds a draft already. Replace it?")) return;
      if (keep({ ...EMPTY, ...draftOf(task, files) }) !== "all") toast("This browser has no room for its files: add them anew");
      void navigate("/submit");
    },
  });
  return (
    <Dialog title="Run again" open onClose={onClose} wide>
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <label className="block space-y-1">
          <span>Goal</span>
          <textarea
            required
            rows={4}
            className="field w-full"
            value={goal}
            onChange={(event) => setGoal(event.target.value)}
          />
        </label>
        <div className="grid gap-3 sm:grid-cols-3">
          <Field
            label="Pipeline"
            hint={known.data && choices.length === 1 ? `the only one; more in aiagent.toml ([pipelines.NAME])` : undefined}
          >
            {(field) => (
              <select
                {...field}
                className="field w-full"
                value={pipeline}
                onChange={({ target: { value } }) => {
                  setPipeline(value);
                  setSteps({});
                  const own = choices.find((one) => one.name === value)?.max_rounds;
                  setRounds(value === task.spec.pipeline.name ? usual : (own ?? usual));
                }}
              >
                {choices.map((one) => (
                  <option key={one.name}>{one.name}</option>
                ))}
              </select>
            )}
          </Field>
          <RoundSelect
            className="grid content-start gap-1"
            label="Begin with"
            first="the submitted files"
            rounds={task.rounds}
            value={round}
            onChange={setRound}
          />
          <label className="grid content-start gap-1">
            Rounds at most
            <input
              type="number"
              min={1}
              required
              className="field"
              value={rounds}
              onChange={(event) => setRounds(Number(event.target.value))}
            />
          </label>
        </div>
        <PartFields pipeline={chosen} value={steps} onChange={setSteps} />
        {again.isError && <Failure error={again.error} />}
        {edit.isError && <Failure error={edit.error} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button
            look="quiet"
            className="mr-auto"
            disabled={edit.isPending}
            onClick={() => edit.mutate()}
            title="Opens New task with this goal, these files, tests and settings"
          >
            Edit as new task
          </Button>
          <Button onClick={onClose}>Leave it</Button>
          <Button look="main" type="submit" disabled={again.isPending}>
            Run again
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
