-- +goose Up
-- Registered ward tablets, and by which ways bedsides were told of a visit.

-- bed: empty for a tablet of the whole ward. code_hash, secret_hash: SHA-256 of
-- what pairs it once, and of what it then shows; NULL when there is none.
-- battery: per cent, -1 unknown. asked_us, rang_us: the last ring test and the tablet's receipt.
CREATE TABLE tablet (
    id              TEXT PRIMARY KEY,
    institution_id  TEXT NOT NULL REFERENCES institution (id),
    ward            TEXT NOT NULL,
    bed             TEXT NOT NULL,
    name            TEXT NOT NULL,
    registered_by   TEXT NOT NULL,
    created_us      BIGINT NOT NULL,
    code_hash       BYTEA,
    code_expires_us BIGINT NOT NULL,
    secret_hash     BYTEA,
    paired_us       BIGINT NOT NULL,
    revoked_us      BIGINT NOT NULL,
    seen_us         BIGINT NOT NULL,
    battery         INTEGER NOT NULL,
    charging        INTEGER NOT NULL,
    network         TEXT NOT NULL,
    sound           INTEGER NOT NULL,
    asked_us        BIGINT NOT NULL,
    rang_us         BIGINT NOT NULL
);
CREATE UNIQUE INDEX tablet_code ON tablet (code_hash);
CREATE UNIQUE INDEX tablet_secret ON tablet (secret_hash);
CREATE INDEX tablet_bed ON tablet (institution_id, ward, bed);
CREATE INDEX visit_ward ON visit (institution_id, ward, state);

-- A way by which a bedside was told: way tablet (tablet_id set), link, qr or
-- sms. delivered_us, opened_us: 0 until the device itself says so.
CREATE TABLE visit_told (
    visit_id     TEXT NOT NULL REFERENCES visit (id),
    way          TEXT NOT NULL,
    tablet_id    TEXT NOT NULL,
    told_by      TEXT NOT NULL,
    told_us      BIGINT NOT NULL,
    delivered_us BIGINT NOT NULL,
    opened_us    BIGINT NOT NULL,
    PRIMARY KEY (visit_id, way, tablet_id)
);
CREATE INDEX visit_told_tablet ON visit_told (tablet_id, visit_id);
