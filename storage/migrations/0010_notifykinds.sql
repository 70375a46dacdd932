-- +goose Up
-- Endpoints are webhooks, mail or MQTT. Nothing goes there before rest_us: mail is sent at most every digest_minutes.
ALTER TABLE notify_endpoint ADD COLUMN kind TEXT NOT NULL DEFAULT 'webhook';
ALTER TABLE notify_endpoint ADD COLUMN user_name TEXT NOT NULL DEFAULT '';
ALTER TABLE notify_endpoint ADD COLUMN digest_minutes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notify_endpoint ADD COLUMN rest_us BIGINT NOT NULL DEFAULT 0;
