-- +goose Up

-- Those that were never judged come before those that wait to be judged again.
CREATE INDEX settlement_fresh ON settlement (due_us, id) WHERE waiting = 1 AND stage = 0;
