-- Commands that wait keep their order; requests without an answer are told from those that were answered with an error; what an
-- authorize may have left at the bank can be listed; and a processor that starts learns from the others how the bank is.

-- Of the requests whose outcome is not known: ambiguous_sends counts those without a complete answer, failed_sends those that got
-- a complete error answer.
ALTER TABLE operations ADD COLUMN failed_sends integer NOT NULL DEFAULT 0;

-- Commands that were put off before they had an operation: on a retry tier, behind another command of their payment, before their
-- authorize, or while the bank is unavailable. Whoever looks at a later command of the payment sees that it must wait (trap D12).
-- A row goes when its command is decided. Nearly always empty.
CREATE TABLE waiting_commands (
    payment_id      uuid        NOT NULL,
    merchant_id     text        NOT NULL,
    idempotency_key text        NOT NULL,
    message_id      text        NOT NULL,
    kind            text        NOT NULL,
    position        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    arrived_at      timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL,

    -- A row for each copy of a command; the first of them counts for its key.
    CONSTRAINT waiting_commands_pkey PRIMARY KEY (payment_id, merchant_id, idempotency_key, message_id),
    CONSTRAINT waiting_commands_kind CHECK (kind IN ('authorize', 'capture', 'void', 'refund'))
);
CREATE INDEX waiting_commands_seen ON waiting_commands (seen_at);
CREATE UNIQUE INDEX waiting_commands_position ON waiting_commands (position);

-- Authorizations that may have left a second hold at the bank (traps B3, B4, D13).
CREATE TABLE possible_orphans (
    payment_id   uuid        NOT NULL,
    operation_id uuid        NOT NULL,
    grade        text        NOT NULL,
    at           timestamptz NOT NULL,

    CONSTRAINT possible_orphans_pkey PRIMARY KEY (payment_id),
    CONSTRAINT possible_orphans_payment FOREIGN KEY (payment_id) REFERENCES payments (id),
    CONSTRAINT possible_orphans_grade CHECK (grade IN ('suspected', 'unlikely'))
);
CREATE INDEX possible_orphans_by_time ON possible_orphans (at DESC, payment_id DESC);

-- How the bank was when a processor last looked (trap D8).
CREATE TABLE bank_status (
    bank           text        NOT NULL PRIMARY KEY,
    is_unavailable boolean     NOT NULL,
    cause          text,
    updated_at     timestamptz NOT NULL
);
