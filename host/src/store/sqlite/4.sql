-- Schema 4: large blobs compressed.

ALTER TABLE blobs ADD COLUMN packed INTEGER NOT NULL DEFAULT 0; -- whether `bytes` are compressed with zstd
