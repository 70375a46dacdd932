-- +goose Up
-- Which version of the reference face a check compared with, and whether that was enrolled by proxy.
-- 0: not the face check, none was enrolled, or before versions were kept.
ALTER TABLE visit_check ADD COLUMN enrolment INTEGER NOT NULL DEFAULT 0;
ALTER TABLE visit_check ADD COLUMN proxy INTEGER NOT NULL DEFAULT 0;

-- The face of each version, sealed as insured.template is; NULL: erased, since another counts and nothing judged against it can be judged again.
ALTER TABLE enrolment ADD COLUMN template BYTEA;
UPDATE enrolment SET template = (SELECT p.template FROM insured p WHERE p.id = enrolment.insured_id AND p.enrolment = enrolment.version);
