-- Schema 2: queues, tenants, priorities, delays; workers.

ALTER TABLE tasks ADD COLUMN queue TEXT NOT NULL DEFAULT 'default';
ALTER TABLE tasks ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
ALTER TABLE tasks ADD COLUMN priority INTEGER NOT NULL DEFAULT 5;
ALTER TABLE tasks ADD COLUMN not_before INTEGER;
ALTER TABLE tasks ADD COLUMN ready_at INTEGER NOT NULL DEFAULT 0; -- since when it could have begun
ALTER TABLE tasks ADD COLUMN due INTEGER;                         -- held back until then; NULL once in its lane
ALTER TABLE tasks ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;     -- ended through no fault of its own

UPDATE tasks SET ready_at = submitted_at;

DROP INDEX queue;
CREATE INDEX lane ON tasks (queue, tenant, priority, position) WHERE state = 0 AND position IS NOT NULL;
CREATE INDEX delayed ON tasks (due, id) WHERE state = 0 AND due IS NOT NULL;
CREATE INDEX ready ON tasks (ready_at) WHERE state = 0;
CREATE INDEX queued ON tasks (queue) WHERE state = 0;
CREATE INDEX running ON tasks (queue, tenant) WHERE state = 1;
CREATE INDEX cancels ON tasks (id) WHERE state = 1 AND cancel = 1;
CREATE INDEX dead ON tasks (id) WHERE dead = 1;

-- Those with tasks in them. The lowest turn of the highest priority is served next.
CREATE TABLE lanes (
    queue    TEXT    NOT NULL,
    tenant   TEXT    NOT NULL,
    priority INTEGER NOT NULL,
    turn     INTEGER NOT NULL,
    PRIMARY KEY (queue, tenant, priority)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_by_turn ON lanes (priority DESC, turn);
INSERT INTO lanes SELECT DISTINCT queue, tenant, priority, 1 FROM tasks WHERE state = 0;

CREATE TABLE paused (queue TEXT PRIMARY KEY) STRICT;

CREATE TABLE workers (
    name    TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL,
    info    TEXT    NOT NULL
) STRICT;
