-- +goose Up
-- How a stay and each message about it came in, and when. '' is: before this was kept.
ALTER TABLE admission ADD COLUMN way TEXT NOT NULL DEFAULT '';
ALTER TABLE admission ADD COLUMN registered_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE admission_event ADD COLUMN way TEXT NOT NULL DEFAULT '';
UPDATE admission SET registered_us = COALESCE((SELECT MIN(received_us) FROM admission_event e WHERE e.admission_id = admission.id), 0);
UPDATE admission SET way = 'api' WHERE NOT EXISTS (SELECT 1 FROM admission_event e WHERE e.admission_id = admission.id);
CREATE INDEX admission_newest ON admission (from_us, id);
CREATE INDEX admission_newest_of ON admission (institution_id, from_us, id);
