-- +goose Up
-- The numbers of a stay that a wristband may carry, as keyed hashes: the hospital's number of the stay, and its account's.
-- Several stays may have one account. Stays told of before have their visit_ref until something is said about them.
CREATE TABLE admission_number (
    ref          BYTEA NOT NULL,
    admission_id TEXT NOT NULL REFERENCES admission (id),
    PRIMARY KEY (ref, admission_id)
);
CREATE INDEX admission_number_of ON admission_number (admission_id);
