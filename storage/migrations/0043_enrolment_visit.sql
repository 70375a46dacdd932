-- +goose Up
-- The bedside's own live check that a reference face was taken from; empty: a photo.
ALTER TABLE enrolment ADD COLUMN visit_id TEXT NOT NULL DEFAULT '';
