-- Schema 6: less to write for each step of a task.

-- Kept by the verbs: with a trigger, SQLite copies each page that an update of `tasks` changes, to be able to undo the
-- half of it.
DROP TRIGGER count_new;
DROP TRIGGER count_moved;
DROP TRIGGER count_gone;
DROP TABLE counts;
CREATE TABLE counts (
    queue TEXT    NOT NULL,
    state INTEGER NOT NULL,
    tasks INTEGER NOT NULL,
    PRIMARY KEY (queue, state)
) STRICT, WITHOUT ROWID;
INSERT INTO counts SELECT queue, state, count(*) FROM tasks GROUP BY queue, state;
DROP INDEX queued;

DROP INDEX tasks_by_both;
DROP INDEX tasks_by_state;
CREATE INDEX tasks_by_state ON tasks (state, id, pipeline);

-- Looked through as a whole for leases that have run out: it has those that run and no others.
DROP INDEX leases;
DROP INDEX claims;
CREATE INDEX claims ON tasks (worker, nonce, lease_until) WHERE state = 1;
