-- +goose Up
-- Zones drawn in the cameras' pictures, and in which one a face was.

-- Every version of what is drawn in a camera's picture; staff: it has a zone of the staff.
CREATE TABLE camera_zones (
    camera_id TEXT NOT NULL,
    version   INTEGER NOT NULL,
    zones     TEXT NOT NULL,
    staff     INTEGER NOT NULL,
    set_by    TEXT NOT NULL,
    set_us    BIGINT NOT NULL,
    leaf      BIGINT NOT NULL,
    PRIMARY KEY (camera_id, version)
);

ALTER TABLE sighting ADD COLUMN zone TEXT NOT NULL DEFAULT '';
