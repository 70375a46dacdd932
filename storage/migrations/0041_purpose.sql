-- +goose Up
-- What people are verified for by a link: ward.Purpose. physician_id: who,
-- where it is no patient. duty_id: the start of the shift that is checked.
ALTER TABLE round ADD COLUMN purpose TEXT NOT NULL DEFAULT 'visit';
ALTER TABLE visit ADD COLUMN purpose TEXT NOT NULL DEFAULT 'visit';
ALTER TABLE visit ADD COLUMN physician_id TEXT NOT NULL DEFAULT '';
ALTER TABLE visit ADD COLUMN duty_id TEXT NOT NULL DEFAULT '';
CREATE INDEX visit_duty ON visit (duty_id) WHERE duty_id <> '';

-- The visit whose verdict a start follows from; empty: at a terminal.
ALTER TABLE duty ADD COLUMN visit_id TEXT NOT NULL DEFAULT '';
