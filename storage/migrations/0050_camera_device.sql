-- +goose Up
-- Every version of what a camera is: what is written on it, or what it says of itself.
CREATE TABLE camera_device (
    camera_id    TEXT NOT NULL,
    version      INTEGER NOT NULL,
    manufacturer TEXT NOT NULL,
    model        TEXT NOT NULL,
    firmware     TEXT NOT NULL,
    serial       TEXT NOT NULL,
    source       TEXT NOT NULL,
    set_by       TEXT NOT NULL,
    set_us       BIGINT NOT NULL,
    leaf         BIGINT NOT NULL,
    PRIMARY KEY (camera_id, version)
);
