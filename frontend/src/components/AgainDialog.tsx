import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import type { Task } from "../api/client";
import { useAgain } from "../api/mutations";
import { pipelines } from "../api/queries";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Failure } from "./Notice";

/** Runs a task again, with another goal, pipeline, budget or starting point. */
export function AgainDialog({ task, onClose }: { task: Task; onClose: () => void }) {
  const known = useQuery(pipelines);
  const again = useAgain(task.id);
  const navigate = useNavigate();
  const [key] = useState(() => crypto.randomUUID());
  const [goal, setGoal] = useState(task.spec.goal);
  const [pipeline, setPipeline] = useState(task.spec.pipeline.name);
  const [round, setRound] = useState(0);
  const [rounds, setRounds] = useState(task.spec.budget.rounds);
  const trees = task.rounds.filter((round) => round.tree);
  const names = known.data?.pipelines.map((one) => one.name) ?? [task.spec.pipeline.name];
  const send = () =>
    again.mutate(
      {
        // Another body under the same key would be a conflict.
        key: `${key} ${[pipeline, round, rounds, goal.length].join(" ")}`.slice(0, 250),
        body: {
          goal: goal === task.spec.goal ? undefined : goal,
          pipeline,
          round: round || undefined,
          budget: { rounds },
        },
      },
      {
        onSuccess: (accepted) => {
          onClose();
          void navigate(`/tasks/${accepted.id}`);
        },
      },
    );
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
          <label className="space-y-1">
            <span className="block">Pipeline</span>
            <select className="field w-full" value={pipeline} onChange={(event) => setPipeline(event.target.value)}>
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <label className="space-y-1">
            <span className="block">Begin with</span>
            <select className="field w-full" value={round} onChange={(event) => setRound(Number(event.target.value))}>
              <option value={0}>the submitted files</option>
              {trees.map((round) => (
                <option key={round.number} value={round.number}>
                  what round {round.number} left
                </option>
              ))}
            </select>
          </label>
          <label className="space-y-1">
            <span className="block">Rounds at most</span>
            <input
              type="number"
              min={1}
              required
              className="field w-full"
              value={rounds}
              onChange={(event) => setRounds(Number(event.target.value))}
            />
          </label>
        </div>
        {again.isError && <Failure error={again.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Leave it</Button>
          <Button look="main" type="submit" disabled={again.isPending}>
            Run again
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
