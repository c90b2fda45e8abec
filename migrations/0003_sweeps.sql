-- The scheduled work: who ran what, which rows are due to be looked at, and what is to be published by way of the outbox.
--
-- The hot path must not pay for it: an index on what a settle changes would cost every command its HOT update. So nothing that
-- a sweep asks for is an index on a changing column of payments or operations. Operations are found by the transaction that
-- inserted them, a column that never changes, from where the sweep last stopped; those that are open still go into a table of
-- their own, which only sweeps write. Authorizations are found by a column of bank_effects, whose rows never change otherwise.

ALTER TABLE operations ADD COLUMN created_in xid8 NOT NULL DEFAULT '0';
ALTER TABLE operations ALTER COLUMN created_in SET DEFAULT pg_current_xact_id();
CREATE INDEX operations_by_creation ON operations (created_in);

-- How far a sweep has seen: every transaction below it has ended, and what it inserted has been looked at.
CREATE TABLE sweep_marks (
    name text NOT NULL PRIMARY KEY,
    seen xid8 NOT NULL
);
INSERT INTO sweep_marks (name, seen) VALUES ('operations', '0');

-- Operations that were open when a sweep came by. A row may outlive its operation's end until it is due.
CREATE TABLE open_operations (
    operation_id    uuid        NOT NULL PRIMARY KEY,
    merchant_id     text        NOT NULL,
    idempotency_key text        NOT NULL,
    payment_id      uuid        NOT NULL,
    due_at          timestamptz NOT NULL,
    looks           integer     NOT NULL DEFAULT 0
);
CREATE INDEX open_operations_due ON open_operations (due_at);

-- When an authorization is to be looked at, on the bank's clock; null for other effects, and when it has come to an end.
ALTER TABLE bank_effects ADD COLUMN look_at timestamptz;
ALTER TABLE bank_effects ADD COLUMN looks integer NOT NULL DEFAULT 0;
UPDATE bank_effects e SET look_at = p.expires_at
FROM payments p WHERE p.id = e.payment_id AND e.kind = 'authorize' AND p.status IN ('AUTHORIZED', 'CAPTURING', 'VOIDING');
CREATE INDEX bank_effects_due ON bank_effects (look_at) WHERE look_at IS NOT NULL;

-- The runs of the sweeps. A slot takes effect once (invariant I9); a run that a person started has none.
CREATE TABLE sweep_runs (
    id              uuid        NOT NULL PRIMARY KEY,
    job             text        NOT NULL,
    slot            timestamptz,
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    examined        bigint      NOT NULL DEFAULT 0,
    resolved        bigint      NOT NULL DEFAULT 0,
    needs_attention bigint      NOT NULL DEFAULT 0,
    waiting         bigint      NOT NULL DEFAULT 0,

    CONSTRAINT sweep_runs_slot UNIQUE (job, slot),
    CONSTRAINT sweep_runs_job CHECK (job IN ('reconcile', 'expire', 'retention'))
);
CREATE INDEX sweep_runs_started ON sweep_runs (started_at DESC, id DESC);

-- Replies and events of what has no delivery behind it, written in the commit that decided it (invariant I7).
CREATE TABLE outbox (
    id             bigint      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id     uuid        NOT NULL,
    operation_id   uuid,
    destination    text        NOT NULL,
    address        text,
    type           text,
    message_id     text,
    correlation_id text,
    headers        text        NOT NULL,
    body           bytea       NOT NULL,
    created_at     timestamptz NOT NULL,
    due_at         timestamptz NOT NULL,
    attempts       integer     NOT NULL DEFAULT 0,
    sent_at        timestamptz,
    is_undeliverable boolean   NOT NULL DEFAULT false,

    CONSTRAINT outbox_destination CHECK (destination IN ('reply', 'event'))
);
CREATE INDEX outbox_waiting ON outbox (due_at) WHERE sent_at IS NULL;
CREATE INDEX outbox_order ON outbox (payment_id, destination, id) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
