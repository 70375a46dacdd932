-- +goose Up
-- How and from where the actor of a custody event was signed in, and whether the act was refused. Empty: of before this
-- version. session.via says by what a browser's session began.
ALTER TABLE custody ADD COLUMN via TEXT NOT NULL DEFAULT '';
ALTER TABLE custody ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE custody ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE custody ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE custody ADD COLUMN result TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN via TEXT NOT NULL DEFAULT '';
