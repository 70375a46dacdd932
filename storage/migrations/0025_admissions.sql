-- +goose Up
-- What hospitals say about stays, and who lay in which bed when.

-- Both are keyed hashes: what is sealed is found by them. visit_ref: the
-- hospital's number of the stay. person_ref: the national or insurance number
-- of whoever lies there, known or not; person has it, sealed. cancelled: it never was.
ALTER TABLE admission ADD COLUMN visit_ref BYTEA;
ALTER TABLE admission ADD COLUMN person_ref BYTEA;
ALTER TABLE admission ADD COLUMN person BYTEA;
ALTER TABLE admission ADD COLUMN cancelled INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX admission_visit ON admission (institution_id, visit_ref);
CREATE INDEX admission_person ON admission (person_ref);

-- The keyed hash of id_number; NULL: not made yet, empty: no number.
ALTER TABLE insured ADD COLUMN number_ref BYTEA;
CREATE INDEX insured_number ON insured (number_ref);

-- Every message, sealed; id and digest are keyed hashes, of its number at its
-- sender and of what it says.
CREATE TABLE admission_event (
    id           BYTEA PRIMARY KEY,
    admission_id TEXT NOT NULL REFERENCES admission (id),
    digest       BYTEA NOT NULL,
    body         BYTEA NOT NULL,
    received_us  BIGINT NOT NULL
);
CREATE INDEX admission_event_of ON admission_event (admission_id);

CREATE TABLE admission_bed (
    admission_id TEXT NOT NULL REFERENCES admission (id),
    seq          INTEGER NOT NULL,
    ward         TEXT NOT NULL,
    room         TEXT NOT NULL,
    bed          TEXT NOT NULL,
    from_us      BIGINT NOT NULL,
    to_us        BIGINT NOT NULL,
    from_to_the  TEXT NOT NULL,
    PRIMARY KEY (admission_id, seq)
);
INSERT INTO admission_bed (admission_id, seq, ward, room, bed, from_us, to_us, from_to_the)
    SELECT id, 0, ward, '', bed, from_us, to_us, 'second' FROM admission;
