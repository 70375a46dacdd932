-- +goose Up
-- Letters to institutions, by step; each row has all that the letter said then.
CREATE TABLE letter_step (
    letter_id  TEXT NOT NULL,
    seq        BIGINT NOT NULL,
    case_id    TEXT NOT NULL REFERENCES case_file (id),
    kind       TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    body       TEXT NOT NULL,
    respond_us BIGINT NOT NULL,
    action     TEXT NOT NULL,
    state      TEXT NOT NULL,
    number     TEXT NOT NULL,
    pdf_sha    TEXT NOT NULL,
    by_user    TEXT NOT NULL,
    at_us      BIGINT NOT NULL,
    note       TEXT NOT NULL,
    leaf       BIGINT NOT NULL,
    PRIMARY KEY (letter_id, seq)
);
CREATE INDEX letter_step_case ON letter_step (case_id, letter_id, seq);
CREATE UNIQUE INDEX letter_step_number ON letter_step (number) WHERE action = 'issue';
