-- Schema 3: what lists and overviews ask for, in indexes.

ALTER TABLE tasks ADD COLUMN model TEXT;            -- as its pipeline names it
ALTER TABLE tasks ADD COLUMN builder TEXT;
ALTER TABLE tasks ADD COLUMN checker TEXT;
ALTER TABLE tasks ADD COLUMN fixer TEXT;
ALTER TABLE tasks ADD COLUMN parent TEXT;
ALTER TABLE tasks ADD COLUMN outcome TEXT;          -- the kind of its reason; NULL until it has ended
ALTER TABLE tasks ADD COLUMN input_tokens INTEGER;  -- these three once it has ended
ALTER TABLE tasks ADD COLUMN output_tokens INTEGER;
ALTER TABLE tasks ADD COLUMN cost INTEGER;          -- in millionths; NULL where a model has no price

-- A record that can't be read hinders no upgrade.
UPDATE tasks SET (model, builder, checker, fixer, parent) = (
    SELECT spec ->> '$.pipeline.model', spec ->> '$.pipeline.builder.name', spec ->> '$.pipeline.checker.name',
           spec ->> '$.pipeline.fixer.name', spec ->> '$.parent'
    FROM specs WHERE specs.num = tasks.num AND json_valid(spec));
UPDATE tasks SET (outcome, input_tokens, output_tokens, cost) = (
    SELECT progress ->> '$.outcome.reason.kind', progress ->> '$.spend.input_tokens',
           progress ->> '$.spend.output_tokens',
           iif(progress ->> '$.spend.model_calls' = 0, 0, progress ->> '$.spend.cost_micros')
    FROM progress WHERE progress.num = tasks.num AND json_valid(progress))
WHERE state = 2;

-- What a filter can ask for, in the order of a list: one look through it answers any of them.
CREATE INDEX facts ON tasks (id, state, pipeline, outcome, model, builder, checker, fixer, submitted_at);
CREATE INDEX children ON tasks (parent, id) WHERE parent IS NOT NULL;

-- All that an overview adds up.
DROP INDEX ended;
CREATE INDEX ended ON tasks (ended_at, id, started_at, pipeline, model, outcome, input_tokens, output_tokens, cost,
    state) WHERE state = 2;
