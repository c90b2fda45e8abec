-- compatible-from: 0007
-- The requests to the bank that did not complete their operation, for whoever asks what became of a payment. The one that completed it
-- is in the reply and the settled_at of the operation, so a command that succeeds at once, or is declined, writes nothing here: rows come with
-- the commit that notes a failed attempt, or one that succeeded after others.
CREATE TABLE operation_attempts (
    payment_id   uuid        NOT NULL,
    operation_id uuid        NOT NULL,
    -- The claim under which it was made, and its place among the requests of that claim: the same commit again changes nothing.
    fence        bigint      NOT NULL,
    position     integer     NOT NULL,
    at           timestamptz NOT NULL,
    verdict      text        NOT NULL,
    http_status  integer,
    code         text,
    tier         text,

    CONSTRAINT operation_attempts_pkey PRIMARY KEY (payment_id, operation_id, fence, position),
    CONSTRAINT operation_attempts_code CHECK (length(code) <= 64),
    CONSTRAINT operation_attempts_tier CHECK (tier IN ('5s', '30s', '2m', '10m', '1h'))
);
