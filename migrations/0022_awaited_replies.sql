-- compatible-from: 0021
-- Who is owed the final reply of an operation in manual review: each message of its key that was given up to the dead letters. One
-- dead letter stands for all of them, and only the message that it holds is replayed. A row goes when its reply is in the outbox, or
-- when its message is replayed. Nearly always empty.
CREATE TABLE awaited_replies (
    merchant_id       text        NOT NULL,
    idempotency_key   text        NOT NULL,
    message_id        text        NOT NULL,
    reply_to          text,
    reply_to_ignored  boolean     NOT NULL,
    correlation_id    text,
    correlation_bytes bytea,
    traceparent       text,
    noted_at          timestamptz NOT NULL,

    CONSTRAINT awaited_replies_pkey PRIMARY KEY (merchant_id, idempotency_key, message_id)
);
