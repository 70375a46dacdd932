-- +goose Up
-- Segments that follow each other without a hole, as one row for each day, so
-- that it is cheap to tell how completely a month was recorded: see runs.go.
-- seq is that of the first one.
CREATE TABLE segment_run (
    source_kind    TEXT NOT NULL,
    source_id      TEXT NOT NULL,
    from_us        BIGINT NOT NULL,
    seq            BIGINT NOT NULL,
    to_us          BIGINT NOT NULL,
    institution_id TEXT NOT NULL,
    origin         TEXT NOT NULL,
    PRIMARY KEY (source_kind, source_id, from_us, seq)
);

-- A row with 2 while the runs of segments from before are to be made.
INSERT INTO segment_packing (one) VALUES (2);
