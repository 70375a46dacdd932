-- +goose Up
-- Rounds that start by themselves, reminders and escalation.

-- due_us: when the plan wanted the round; ordered_us tells how late it was.
-- remind_us: when to remind, 0 never. notify: JSON array of endpoint ids.
ALTER TABLE round ADD COLUMN plan_id TEXT NOT NULL DEFAULT '';
ALTER TABLE round ADD COLUMN due_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE round ADD COLUMN remind_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE round ADD COLUMN notify TEXT NOT NULL DEFAULT '[]';
ALTER TABLE round ADD COLUMN reminded_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE round ADD COLUMN escalated_us BIGINT NOT NULL DEFAULT 0;
CREATE INDEX round_remind ON round (remind_us) WHERE reminded_us = 0 AND remind_us > 0;
CREATE INDEX round_escalate ON round (deadline_us) WHERE escalated_us = 0 AND notify <> '[]';

-- spec: JSON of what to order and when. next_us: the next start, 0: none.
-- draw_id: of the run under way, while its draw waits for the seed.
CREATE TABLE round_plan (
    id             TEXT PRIMARY KEY,
    institution_id TEXT NOT NULL REFERENCES institution (id),
    planned_by     TEXT NOT NULL,
    created_us     BIGINT NOT NULL,
    spec           TEXT NOT NULL,
    state          TEXT NOT NULL,
    next_us        BIGINT NOT NULL,
    draw_id        TEXT NOT NULL
);
CREATE INDEX round_plan_next ON round_plan (state, next_us);

-- What became of each start.
CREATE TABLE round_plan_run (
    plan_id   TEXT NOT NULL REFERENCES round_plan (id),
    due_us    BIGINT NOT NULL,
    at_us     BIGINT NOT NULL,
    outcome   TEXT NOT NULL,
    round_id  TEXT NOT NULL,
    draw_id   TEXT NOT NULL,
    reason_zh TEXT NOT NULL,
    reason_en TEXT NOT NULL,
    PRIMARY KEY (plan_id, due_us)
);
