-- Schema 5: by when a task has to have ended, in an index of those that wait.

ALTER TABLE tasks ADD COLUMN deadline INTEGER;

-- One beyond SQLite's numbers is beyond all clocks.
UPDATE tasks SET deadline = (
    SELECT spec ->> '$.budget.deadline' FROM specs
    WHERE specs.num = tasks.num AND json_valid(spec) AND json_type(spec, '$.budget.deadline') = 'integer'
      AND typeof(spec ->> '$.budget.deadline') = 'integer')
WHERE state <> 2;

CREATE INDEX deadlines ON tasks (deadline, id) WHERE state = 0 AND deadline IS NOT NULL;
