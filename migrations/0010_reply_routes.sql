-- compatible-from: 0007
-- A correlation id is any bytes, and a reply carries them unchanged. What is UTF-8 (without a NUL, which text cannot hold) stays where
-- it was; what is not has a column of its own. Only one of the two is set. None of these columns costs a rewrite.

ALTER TABLE operations ADD COLUMN correlation_bytes bytea;
ALTER TABLE outbox ADD COLUMN correlation_bytes bytea;
ALTER TABLE dead_letters ADD COLUMN correlation_bytes bytea;

-- Whether the command named a reply queue that is not allowed: the reply says so.
ALTER TABLE operations ADD COLUMN reply_to_ignored boolean NOT NULL DEFAULT false;
