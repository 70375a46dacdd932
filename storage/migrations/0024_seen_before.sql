-- +goose Up
-- What visits looked like in time, without a picture: a perceptual hash a second (8 bytes each) and,
-- sealed, how the head moved. Erased with the recordings' retention.
CREATE TABLE visit_trace (
    visit_id      TEXT PRIMARY KEY,
    stored_us     BIGINT NOT NULL,
    keep_until_us BIGINT NOT NULL,
    prints        BYTEA NOT NULL,
    moves         BYTEA NOT NULL
);
CREATE INDEX visit_trace_stored ON visit_trace (stored_us, visit_id);
CREATE INDEX visit_trace_keep ON visit_trace (keep_until_us);
