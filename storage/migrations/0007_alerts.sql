-- +goose Up
-- The life of an alert: every step a row, whose task it is, and until when.

-- version: of its steps. next_us: when its assignee is reminded, or it is
-- overdue; 0: never again.
ALTER TABLE alert ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE alert ADD COLUMN assignee TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN reason_code TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN decided_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN appealed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN deadline_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN next_us BIGINT NOT NULL DEFAULT 0;
CREATE INDEX alert_next ON alert (next_us) WHERE next_us > 0;
CREATE INDEX alert_state ON alert (state, institution_id);
CREATE INDEX alert_related_alert ON alert_related (alert_id);

-- at_us 0: not known, from before steps were rows.
CREATE TABLE alert_event (
    alert_id    TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    at_us       BIGINT NOT NULL,
    by_user     TEXT NOT NULL,
    action      TEXT NOT NULL,
    from_state  TEXT NOT NULL,
    to_state    TEXT NOT NULL,
    note        TEXT NOT NULL,
    reason_code TEXT NOT NULL,
    assignee    TEXT NOT NULL,
    deadline_us BIGINT NOT NULL,
    leaf        BIGINT NOT NULL,
    PRIMARY KEY (alert_id, seq)
);
INSERT INTO alert_event SELECT id, 1, raised_us, '', 'raise', '', 'new', '', '', '', 0, leaf FROM alert;
INSERT INTO alert_event SELECT id, 2, 0, decided_by,
        CASE state WHEN 'taken' THEN 'take' WHEN 'confirmed' THEN 'confirm' WHEN 'dismissed' THEN 'dismiss' ELSE 'withdraw' END, 'new', state, decision_note,
        '', CASE state WHEN 'taken' THEN decided_by ELSE '' END, 0, (SELECT MAX(leaf) FROM sealed_record WHERE kind = 'decision' AND ref = alert.id)
    FROM alert WHERE state <> 'new';
-- Decisions on what was stated anew since are older than its leaf, and no steps.
INSERT INTO alert_event SELECT id, 2, 0, decided_by, 'reopen', 'dismissed', 'new', decision_note, '', '', 0, (SELECT MAX(leaf) FROM sealed_record WHERE kind = 'decision' AND ref = alert.id)
    FROM alert WHERE state = 'new' AND EXISTS (SELECT 1 FROM sealed_record WHERE kind = 'decision' AND ref = alert.id AND leaf > alert.leaf);
UPDATE alert SET version = 2 WHERE EXISTS (SELECT 1 FROM alert_event WHERE alert_id = alert.id AND seq = 2);
UPDATE alert SET assignee = CASE state WHEN 'taken' THEN decided_by ELSE '' END, decided_by = '', decision_note = '' WHERE state IN ('new', 'taken');
-- 24, 72 and 168 h by severity, as is built in.
UPDATE alert SET deadline_us = raised_us + CASE severity WHEN 3 THEN 86400000000 WHEN 2 THEN 259200000000 ELSE 604800000000 END
    WHERE state IN ('new', 'taken') AND shadow = 0;
UPDATE alert SET next_us = deadline_us;
UPDATE alert_event SET deadline_us = (SELECT deadline_us FROM alert WHERE id = alert_id) WHERE seq = 1 AND EXISTS (SELECT 1 FROM alert WHERE id = alert_id AND version = 1);
-- decided_us of what was decided is in the sealed decisions: Migrate reads it there.

-- Every policy that there ever was; the newest counts.
CREATE TABLE alert_policy (
    version INTEGER PRIMARY KEY,
    params  TEXT NOT NULL,
    set_by  TEXT NOT NULL,
    set_us  BIGINT NOT NULL,
    leaf    BIGINT NOT NULL
);
