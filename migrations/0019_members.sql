-- compatible-from: 0007
-- The processors that share the command queues, and when each was last seen, by the clock of the database. A few rows, of no worth beyond
-- the moment.
CREATE TABLE members (
    id         text        NOT NULL,
    version    text        NOT NULL,
    started_at timestamptz NOT NULL,
    last_seen  timestamptz NOT NULL,
    -- The partitions that it is subscribed to.
    subscribed integer[]   NOT NULL,

    CONSTRAINT members_pkey PRIMARY KEY (id)
) WITH (fillfactor = 50);
