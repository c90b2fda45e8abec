-- Payments, the operations on them, what the bank did, and the history of it all.
--
-- What a row may say is checked here, so that no bug above can write a state that must not be (correctness.md, invariants).
-- The hot path writes each table by its primary key in batches; payments and operations are updated in place (HOT: no
-- indexed column ever changes, and a part of every page is kept free for the new version of a row).

CREATE TABLE payments (
    id                    uuid        NOT NULL,
    merchant_id           text        NOT NULL,
    order_id              text        NOT NULL,
    customer_id           text        NOT NULL,
    amount                bigint      NOT NULL,
    currency              text        NOT NULL,
    status                text        NOT NULL,
    held_by               uuid,
    version               bigint      NOT NULL,
    bank_authorization_id text,
    bank_capture_id       text,
    bank_void_id          text,
    bank_refund_id        text,
    created_at            timestamptz NOT NULL,
    authorized_at         timestamptz,
    expires_at            timestamptz,
    captured_at           timestamptz,
    voided_at             timestamptz,
    refunded_at           timestamptz,

    CONSTRAINT payments_pkey PRIMARY KEY (id),
    CONSTRAINT payments_amount CHECK (amount > 0),
    CONSTRAINT payments_currency CHECK (currency = 'USD'),
    CONSTRAINT payments_version CHECK (version > 0),
    CONSTRAINT payments_texts CHECK (
        length(merchant_id) BETWEEN 1 AND 64
        AND length(order_id) BETWEEN 1 AND 128
        AND length(customer_id) BETWEEN 1 AND 128
    ),
    CONSTRAINT payments_status CHECK (
        status IN (
            'PENDING', 'AUTHORIZED', 'CAPTURING', 'CAPTURED', 'VOIDING', 'VOIDED', 'REFUNDING', 'REFUNDED', 'FAILED',
            'EXPIRED'
        )
    ),
    -- One operation at a time, and exactly while one is under way (trap P6).
    CONSTRAINT payments_held CHECK (
        (held_by IS NOT NULL) = (status IN ('PENDING', 'CAPTURING', 'VOIDING', 'REFUNDING'))
    ),
    -- A state that the bank must have proven has its proof, and only it.
    CONSTRAINT payments_authorized CHECK (
        (bank_authorization_id IS NOT NULL) = (status NOT IN ('PENDING', 'FAILED'))
        AND (authorized_at IS NOT NULL) = (bank_authorization_id IS NOT NULL)
    ),
    CONSTRAINT payments_captured CHECK (
        (bank_capture_id IS NOT NULL) = (status IN ('CAPTURED', 'REFUNDING', 'REFUNDED'))
        AND (captured_at IS NOT NULL) = (bank_capture_id IS NOT NULL)
    ),
    CONSTRAINT payments_voided CHECK (
        (bank_void_id IS NOT NULL) = (status = 'VOIDED') AND (voided_at IS NOT NULL) = (bank_void_id IS NOT NULL)
    ),
    CONSTRAINT payments_refunded CHECK (
        (bank_refund_id IS NOT NULL) = (status = 'REFUNDED') AND (refunded_at IS NOT NULL) = (bank_refund_id IS NOT NULL)
    )
) WITH (fillfactor = 70);

-- GET /payments?order_id=… and ?customer_id=…, newest first.
CREATE INDEX payments_by_order ON payments (order_id, created_at DESC, id DESC);
CREATE INDEX payments_by_customer ON payments (customer_id, created_at DESC, id DESC);

CREATE TABLE operations (
    merchant_id     text        NOT NULL,
    idempotency_key text        NOT NULL,
    id              uuid        NOT NULL,
    kind            text        NOT NULL,
    payment_id      uuid        NOT NULL,
    fingerprint     bytea       NOT NULL,
    bank_key        text        NOT NULL,
    reply_to        text,
    correlation_id  text,
    traceparent     text,
    origin          text,
    created_at      timestamptz NOT NULL,
    first_sent_at   timestamptz,
    state           text        NOT NULL,
    fence           bigint      NOT NULL,
    lease_until     timestamptz NOT NULL,
    claim_token     uuid        NOT NULL,
    attempts        integer     NOT NULL,
    is_ambiguous    boolean     NOT NULL,
    last_error      text,
    reply           bytea,
    settled_at      timestamptz,
    undeliverable_at timestamptz,

    -- One operation per merchant and key, whatever it asks for (trap P2).
    CONSTRAINT operations_pkey PRIMARY KEY (merchant_id, idempotency_key),
    CONSTRAINT operations_payment FOREIGN KEY (payment_id) REFERENCES payments (id),
    CONSTRAINT operations_kind CHECK (kind IN ('authorize', 'capture', 'void', 'refund')),
    CONSTRAINT operations_key CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    CONSTRAINT operations_fingerprint CHECK (octet_length(fingerprint) = 32),
    CONSTRAINT operations_bank_key CHECK (length(bank_key) BETWEEN 1 AND 64),
    CONSTRAINT operations_fence CHECK (fence > 0 AND attempts >= 0),
    CONSTRAINT operations_state CHECK (
        state IN ('SENT', 'UNKNOWN', 'SUCCEEDED', 'DECLINED', 'REJECTED', 'NEEDS_ATTENTION')
    ),
    -- A final outcome has its reply, for ever (invariant I5), and an open one has none.
    CONSTRAINT operations_reply CHECK (
        (reply IS NOT NULL) = (state IN ('SUCCEEDED', 'DECLINED', 'REJECTED'))
        AND (settled_at IS NOT NULL) = (reply IS NOT NULL)
    )
) WITH (fillfactor = 70);

-- The operations of one payment, for GET /payments/{id}.
CREATE INDEX operations_by_payment ON operations (payment_id);

-- What the bank did: each of its ids once, and each kind of effect at most once per payment (invariant I3).
CREATE TABLE bank_effects (
    payment_id   uuid NOT NULL,
    kind         text NOT NULL,
    bank_id      text NOT NULL,
    operation_id uuid NOT NULL,

    CONSTRAINT bank_effects_pkey PRIMARY KEY (payment_id, kind),
    CONSTRAINT bank_effects_bank_id UNIQUE (bank_id),
    CONSTRAINT bank_effects_kind CHECK (kind IN ('authorize', 'capture', 'void', 'refund'))
);

-- Every step of every payment (invariant I6). A version names a transition, and none is skipped or taken twice; a row
-- without one is a note that changed nothing.
CREATE TABLE payment_history (
    payment_id   uuid        NOT NULL,
    version      bigint,
    at           timestamptz NOT NULL,
    cause        text        NOT NULL,
    from_status  text,
    to_status    text        NOT NULL,
    operation    text        NOT NULL,
    operation_id uuid,

    CONSTRAINT payment_history_step UNIQUE (payment_id, version),
    CONSTRAINT payment_history_operation CHECK (operation IN ('authorize', 'capture', 'void', 'refund')),
    -- The state machine, as PaymentStatus.mayBecome has it.
    CONSTRAINT payment_history_path CHECK (
        CASE WHEN version IS NULL THEN from_status = to_status
        ELSE coalesce(from_status, '') || '>' || to_status IN (
            '>PENDING',
            'PENDING>AUTHORIZED', 'PENDING>FAILED',
            'AUTHORIZED>CAPTURING', 'AUTHORIZED>VOIDING', 'AUTHORIZED>EXPIRED',
            'CAPTURING>CAPTURED', 'CAPTURING>AUTHORIZED', 'CAPTURING>EXPIRED',
            'VOIDING>VOIDED', 'VOIDING>AUTHORIZED', 'VOIDING>EXPIRED',
            'CAPTURED>REFUNDING', 'REFUNDING>REFUNDED', 'REFUNDING>CAPTURED',
            'EXPIRED>VOIDING'
        ) END
    )
);

-- What this database must remember about the processors that use it.
CREATE TABLE processor_facts (
    name  text  NOT NULL PRIMARY KEY,
    value bytea NOT NULL
);
