-- +goose Up
-- The treatment session that a patient's own link is about, and the call that it answers; 0: the end.
ALTER TABLE visit ADD COLUMN treatment_id TEXT NOT NULL DEFAULT '';
ALTER TABLE visit ADD COLUMN treatment_call INTEGER NOT NULL DEFAULT 0;
