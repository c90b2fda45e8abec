-- compatible-from: 0021
-- What each processor has done with commands since its start, as it was at the end of each minute: the difference between two minutes is what
-- was done in between, and a row may be written again. A few rows a minute for each processor; those older than two hours go.
CREATE TABLE command_minutes (
    minute        timestamptz NOT NULL,
    member        text        NOT NULL,
    succeeded     bigint      NOT NULL,
    declined      bigint      NOT NULL,
    rejected      bigint      NOT NULL,
    unknown       bigint      NOT NULL,
    replayed      bigint      NOT NULL,
    deferred      bigint      NOT NULL,
    dead_lettered bigint      NOT NULL,

    CONSTRAINT command_minutes_pkey PRIMARY KEY (minute, member)
) WITH (fillfactor = 50)
