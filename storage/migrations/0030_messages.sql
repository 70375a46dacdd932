-- +goose Up
-- What inspector and bedside wrote to each other in a visit. body: sealed; JSON of a salt and the text; NULL once erased,
-- with the visit's recording. ref: the writer's own name for the line. The visit's event "message" holds the body's SHA-256.
CREATE TABLE visit_message (
    id            TEXT PRIMARY KEY,
    visit_id      TEXT NOT NULL,
    from_user     TEXT NOT NULL,
    ref           TEXT NOT NULL,
    at_us         BIGINT NOT NULL,
    shown_us      BIGINT NOT NULL,
    keep_until_us BIGINT NOT NULL,
    body          BYTEA,
    UNIQUE (visit_id, from_user, ref)
);
CREATE INDEX visit_message_keep ON visit_message (keep_until_us);
