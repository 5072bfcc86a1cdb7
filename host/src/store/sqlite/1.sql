-- Schema 1. Times are microseconds in `term` and `lease_until`, milliseconds elsewhere.

-- The store's part of each task: small, since every heartbeat rewrites its row.
CREATE TABLE tasks (
    num          INTEGER PRIMARY KEY,
    id           TEXT    NOT NULL UNIQUE,
    state        INTEGER NOT NULL,           -- 0 queued, 1 running, 2 ended
    pipeline     TEXT    NOT NULL,
    position     INTEGER,                    -- in the queue, lowest first; NULL unless queued
    cancel       INTEGER NOT NULL,
    worker       TEXT,                       -- NULL unless running
    nonce        INTEGER NOT NULL,
    fence        INTEGER NOT NULL,
    term         INTEGER NOT NULL,
    lease_until  INTEGER NOT NULL,
    gave_up      INTEGER,                    -- 0 released, 1 finished, by the holder of `fence`
    last_commit  TEXT,
    last_event   INTEGER NOT NULL,
    crashes      INTEGER NOT NULL,
    submitted_at INTEGER NOT NULL,
    started_at   INTEGER,
    ended_at     INTEGER
) STRICT;

CREATE INDEX tasks_by_state ON tasks (state, id);
CREATE INDEX tasks_by_pipeline ON tasks (pipeline, id);
CREATE INDEX queue ON tasks (position) WHERE state = 0;
CREATE INDEX claims ON tasks (worker, nonce) WHERE state = 1;
CREATE INDEX leases ON tasks (lease_until, id) WHERE state = 1;
CREATE INDEX ended ON tasks (ended_at) WHERE state = 2;

-- Written once.
CREATE TABLE specs (
    num    INTEGER PRIMARY KEY,
    search TEXT NOT NULL,                    -- the goal in lower case
    spec   TEXT NOT NULL
) STRICT;

-- The worker's part of each task.
CREATE TABLE progress (
    num      INTEGER PRIMARY KEY,
    progress TEXT NOT NULL
) STRICT;

CREATE TABLE events (
    num  INTEGER NOT NULL,
    id   INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    body TEXT    NOT NULL,
    PRIMARY KEY (num, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    num   INTEGER NOT NULL,
    step  INTEGER NOT NULL,
    idx   INTEGER NOT NULL,
    entry TEXT    NOT NULL,
    PRIMARY KEY (num, step, idx)
) STRICT, WITHOUT ROWID;

-- Idempotency keys.
CREATE TABLE keys (
    key  TEXT PRIMARY KEY,
    body TEXT    NOT NULL,
    task TEXT    NOT NULL,
    at   INTEGER NOT NULL
) STRICT;
CREATE INDEX keys_by_age ON keys (at);

CREATE TABLE blobs (
    digest    TEXT PRIMARY KEY,
    stored_at INTEGER NOT NULL,
    bytes     BLOB    NOT NULL
) STRICT;
CREATE INDEX blobs_by_age ON blobs (stored_at, digest);

-- So that counting a million ended tasks is one look.
CREATE TABLE counts (
    state INTEGER PRIMARY KEY,
    tasks INTEGER NOT NULL
) STRICT;
INSERT INTO counts VALUES (0, 0), (1, 0), (2, 0);

CREATE TRIGGER count_new AFTER INSERT ON tasks BEGIN
    UPDATE counts SET tasks = tasks + 1 WHERE state = new.state;
END;
CREATE TRIGGER count_moved AFTER UPDATE OF state ON tasks WHEN old.state <> new.state BEGIN
    UPDATE counts SET tasks = tasks - 1 WHERE state = old.state;
    UPDATE counts SET tasks = tasks + 1 WHERE state = new.state;
END;
CREATE TRIGGER count_gone AFTER DELETE ON tasks BEGIN
    UPDATE counts SET tasks = tasks - 1 WHERE state = old.state;
END;
