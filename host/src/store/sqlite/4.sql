-- Schema 4: large blobs compressed; what workers together may ask of a model.

ALTER TABLE blobs ADD COLUMN packed INTEGER NOT NULL DEFAULT 0; -- whether `bytes` are compressed with zstd

-- When a model's buckets are full again, in µs.
CREATE TABLE rates (
    model    TEXT PRIMARY KEY,
    requests INTEGER NOT NULL,
    tokens   INTEGER NOT NULL
) STRICT;
