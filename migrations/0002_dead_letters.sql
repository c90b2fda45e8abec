-- Messages that could not be dealt with, kept for a person (contract.md §6): without card data, with all that it takes to publish
-- them again, and with a record of everything that anybody did with them.

CREATE TABLE dead_letters (
    id               uuid        NOT NULL,
    -- A keyed digest that is the same for every copy of one failure.
    instance         bytea       NOT NULL,
    code             text        NOT NULL,
    message          text        NOT NULL,
    source           text        NOT NULL,
    dead_lettered_at timestamptz NOT NULL,
    ingested_at      timestamptz NOT NULL,

    -- What it asked for, as far as its headers tell.
    operation        text,
    payment_id       uuid,
    merchant_id      text,
    idempotency_key  text,
    fingerprint      bytea,

    -- The message, reduced.
    card             text,
    replayable       boolean     NOT NULL,
    type             text,
    content_type     text,
    content_encoding text,
    message_id       text,
    correlation_id   text,
    reply_to         text,
    headers          jsonb       NOT NULL,
    body             bytea       NOT NULL,

    replay_of        uuid,
    state            text        NOT NULL,
    reopened_fence   bigint,
    closed_at        timestamptz,

    CONSTRAINT dead_letters_pkey PRIMARY KEY (id),
    -- One row per failure, however often its letter was published or ingested.
    CONSTRAINT dead_letters_instance UNIQUE (instance),
    CONSTRAINT dead_letters_replay_of FOREIGN KEY (replay_of) REFERENCES dead_letters (id) ON DELETE SET NULL,
    CONSTRAINT dead_letters_digests CHECK (
        octet_length(instance) = 32 AND octet_length(fingerprint) = 32
    ),
    CONSTRAINT dead_letters_source CHECK (source IN ('processor', 'broker')),
    CONSTRAINT dead_letters_operation CHECK (operation IN ('authorize', 'capture', 'void', 'refund')),
    -- BIN and last four of 12 to 19 digits, never more (invariant I10).
    CONSTRAINT dead_letters_card CHECK (card ~ '^[0-9]{6}[*]{2,9}[0-9]{4}$'),
    CONSTRAINT dead_letters_replayable CHECK (NOT (replayable AND operation = 'authorize' AND card IS NOT NULL)),
    CONSTRAINT dead_letters_headers CHECK (jsonb_typeof(headers) = 'object'),
    CONSTRAINT dead_letters_state CHECK (state IN ('open', 'replaying', 'replayed', 'discarded')),
    CONSTRAINT dead_letters_closed CHECK ((closed_at IS NOT NULL) = (state IN ('replayed', 'discarded')))
);

-- The list, newest first.
CREATE INDEX dead_letters_by_time ON dead_letters (dead_lettered_at, id);
-- What is left to do, oldest first, and how much of it by code: few rows, however many there have been.
CREATE INDEX dead_letters_unfinished ON dead_letters (dead_lettered_at, id) INCLUDE (code)
    WHERE state IN ('open', 'replaying');
-- The letters of one payment.
CREATE INDEX dead_letters_by_payment ON dead_letters (payment_id) WHERE payment_id IS NOT NULL;
-- For the foreign key, when old letters are removed.
CREATE INDEX dead_letters_by_origin ON dead_letters (replay_of) WHERE replay_of IS NOT NULL;

-- Who did what, when, and how it ended. Outlives its letter.
CREATE TABLE dead_letter_audit (
    dead_letter_id uuid        NOT NULL,
    position       integer     NOT NULL,
    at             timestamptz NOT NULL,
    actor          text        NOT NULL,
    action         text        NOT NULL,
    result         text        NOT NULL,
    reason         text,

    CONSTRAINT dead_letter_audit_pkey PRIMARY KEY (dead_letter_id, position),
    CONSTRAINT dead_letter_audit_actor CHECK (length(actor) BETWEEN 1 AND 128),
    CONSTRAINT dead_letter_audit_result CHECK (
        action || ' ' || result IN ('replay started', 'replay replayed', 'replay failed', 'discard discarded')
    ),
    CONSTRAINT dead_letter_audit_reason CHECK (action <> 'discard' OR length(reason) BETWEEN 1 AND 1000)
);

-- A letter ends once (invariant I8).
CREATE UNIQUE INDEX dead_letter_audit_end ON dead_letter_audit (dead_letter_id)
    WHERE result IN ('replayed', 'discarded');

-- How often a message that was given out too often has been sent back to the commands, once per failure.
CREATE TABLE dead_letter_returns (
    message    text        NOT NULL,
    times      smallint    NOT NULL,
    instances  bytea[]     NOT NULL,
    last_at    timestamptz NOT NULL,

    CONSTRAINT dead_letter_returns_pkey PRIMARY KEY (message),
    CONSTRAINT dead_letter_returns_times CHECK (times BETWEEN 1 AND 3 AND cardinality(instances) = times)
);
