-- +goose Up
-- Where notifications go, and what is to go there. last_seq counts the events
-- of an endpoint without holes; types and institutions are JSON arrays, empty: all.
CREATE TABLE notify_endpoint (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    url           TEXT NOT NULL,
    secret_sealed BYTEA NOT NULL,
    types         TEXT NOT NULL,
    institutions  TEXT NOT NULL,
    disabled      INTEGER NOT NULL,
    last_seq      BIGINT NOT NULL,
    created_us    BIGINT NOT NULL
);

-- body: the bytes that are sent, the same at each try. since_us: when the 24
-- hours of tries began; next_us: not before.
CREATE TABLE notify_outbox (
    endpoint_id  TEXT NOT NULL,
    seq          BIGINT NOT NULL,
    event_id     TEXT NOT NULL,
    type         TEXT NOT NULL,
    body         TEXT NOT NULL,
    at_us        BIGINT NOT NULL,
    since_us     BIGINT NOT NULL,
    next_us      BIGINT NOT NULL,
    attempts     INTEGER NOT NULL,
    state        TEXT NOT NULL,
    http_status  INTEGER NOT NULL,
    failure      TEXT NOT NULL,
    delivered_us BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id, seq)
);
CREATE INDEX notify_outbox_pending ON notify_outbox (endpoint_id, seq) WHERE state = 'pending';
CREATE INDEX notify_outbox_dead ON notify_outbox (endpoint_id) WHERE state = 'dead';
CREATE INDEX notify_outbox_age ON notify_outbox (at_us);
