-- +goose Up
-- Treatment sessions: who was called for when, who was there, and what was billed.

-- How often patients are called for; never changed, only followed by a later version.
CREATE TABLE treatment_policy (
    version        INTEGER PRIMARY KEY,
    institution_id TEXT NOT NULL,
    kind           TEXT NOT NULL,
    params         TEXT NOT NULL,
    set_by         TEXT NOT NULL,
    set_us         BIGINT NOT NULL,
    leaf           BIGINT NOT NULL
);

-- nonce, salt: hex. The ledger has a hash of the nonce, and of the insured's id
-- only with the salt. ended_us: 0 while it runs; last_us: when it is over in any
-- case; proven: 1 when the patient's face was ever told there.
CREATE TABLE treatment (
    id             TEXT PRIMARY KEY,
    institution_id TEXT NOT NULL,
    place_id       TEXT NOT NULL,
    insured_id     TEXT NOT NULL,
    kind           TEXT NOT NULL,
    station        TEXT NOT NULL,
    tablet_id      TEXT NOT NULL,
    policy         TEXT NOT NULL,
    actor          TEXT NOT NULL,
    at_us          BIGINT NOT NULL,
    ended_us       BIGINT NOT NULL,
    last_us        BIGINT NOT NULL,
    answer         TEXT NOT NULL,
    proven         INTEGER NOT NULL,
    nonce          TEXT NOT NULL,
    salt           TEXT NOT NULL,
    leaf           BIGINT NOT NULL
);
CREATE INDEX treatment_institution ON treatment (institution_id, id);
CREATE INDEX treatment_insured ON treatment (insured_id, last_us);
CREATE INDEX treatment_tablet ON treatment (tablet_id, last_us);

-- event: the JSON that is sealed.
CREATE TABLE treatment_event (
    treatment_id TEXT NOT NULL REFERENCES treatment (id),
    n            INTEGER NOT NULL,
    event        TEXT NOT NULL,
    leaf         BIGINT NOT NULL,
    PRIMARY KEY (treatment_id, n)
);
