-- compatible-from: 0007
-- Authorizations that the bank gave to an attempt which no longer held its operation, while the attempt that holds it had not ended:
-- whether one is a second hold is known only when the payment has its own. The reconciling sweep compares them, and removes the row.
-- Nearly always empty.
CREATE TABLE unmatched_authorizations (
    payment_id       uuid        NOT NULL,
    authorization_id text        NOT NULL,
    merchant_id      text        NOT NULL,
    idempotency_key  text        NOT NULL,
    operation_id     uuid        NOT NULL,
    at               timestamptz NOT NULL,

    CONSTRAINT unmatched_authorizations_pkey PRIMARY KEY (payment_id, authorization_id),
    CONSTRAINT unmatched_authorizations_payment FOREIGN KEY (payment_id) REFERENCES payments (id)
);
