-- compatible-from: 0021
-- Who is owed the final reply of an operation in manual review: each address whose message of its key was given up to the dead
-- letters. One dead letter stands for all of them, and only the message that it holds is replayed. A row goes when its reply is in the
-- outbox, or when its message is replayed. Nearly always empty.
CREATE TABLE awaited_replies (
    merchant_id       text        NOT NULL,
    idempotency_key   text        NOT NULL,
    -- A digest of reply queue and correlation id.
    route             bytea       NOT NULL,
    reply_to          text,
    reply_to_ignored  boolean     NOT NULL,
    correlation_id    text,
    correlation_bytes bytea,
    traceparent       text,
    -- Those that were not checked for the longest time are next.
    checked_at        timestamptz NOT NULL,

    CONSTRAINT awaited_replies_pkey PRIMARY KEY (merchant_id, idempotency_key, route),
    CONSTRAINT awaited_replies_route CHECK (octet_length(route) = 32)
);
CREATE INDEX awaited_replies_checked ON awaited_replies (checked_at);
