-- +goose Up

-- Which process may do what only one may at a time, and until when unless it renews that.
CREATE TABLE lease (
    name     TEXT PRIMARY KEY,
    holder   TEXT NOT NULL,
    until_us BIGINT NOT NULL
);
