-- +goose Up
-- What institutions report in advance, and alerts about what they did not.

-- Of what subject_kind says. A rule is about one kind only, so that (rule,
-- subject_id) still says that one fires at most once on one subject.
ALTER TABLE alert RENAME COLUMN settlement_id TO subject_id;
ALTER TABLE alert ADD COLUMN subject_kind TEXT NOT NULL DEFAULT 'settlement';

-- Every version of every outage that was reported; of each the newest counts.
-- withdrawn_us: it covers nothing from then on.
CREATE TABLE outage (
    id             TEXT NOT NULL,
    version        INTEGER NOT NULL,
    institution_id TEXT NOT NULL,
    places         TEXT NOT NULL,
    cameras        TEXT NOT NULL,
    from_us        BIGINT NOT NULL,
    to_us          BIGINT NOT NULL,
    reason         TEXT NOT NULL,
    reported_by    TEXT NOT NULL,
    reported_us    BIGINT NOT NULL,
    action         TEXT NOT NULL,
    changed_by     TEXT NOT NULL,
    changed_us     BIGINT NOT NULL,
    note           TEXT NOT NULL,
    withdrawn_us   BIGINT NOT NULL,
    refused        INTEGER NOT NULL,
    leaf           BIGINT NOT NULL,
    PRIMARY KEY (id, version)
);
CREATE INDEX outage_window ON outage (institution_id, to_us);

-- outage_id: the one that covers its beginning, when it was reported. due_us:
-- when it becomes an alert unless the camera sees again; 0: it is one, or never will be.
ALTER TABLE blind_period ADD COLUMN outage_id TEXT NOT NULL DEFAULT '';
ALTER TABLE blind_period ADD COLUMN due_us BIGINT NOT NULL DEFAULT 0;
CREATE INDEX blind_institution_from ON blind_period (institution_id, from_us);
-- Those that last are judged when they are next seen to.
UPDATE blind_period SET due_us = from_us WHERE to_us = 0;
