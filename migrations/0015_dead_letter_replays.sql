-- compatible-from: 0007
-- Replays of dead letters as rows: they go on where their caller or the process that runs them is gone, and can be watched and stopped.
-- And the claim of a letter: of two replays at once one publishes it.

-- Which replay has claimed it, for how long, and which one has ended it. A letter that is `replaying` when that time is over is open.
ALTER TABLE dead_letters
    ADD COLUMN replay_id uuid,
    ADD COLUMN replay_fence bigint,
    ADD COLUMN replay_until timestamptz;

CREATE TABLE dead_letter_replays (
    id               uuid             NOT NULL,
    requested_by     text             NOT NULL,
    created_at       timestamptz      NOT NULL,
    -- As it was given; null where ids were.
    filter           jsonb,
    -- Letters a second; null: as fast as it goes.
    rate             integer,
    stop_at_failures double precision NOT NULL,

    state            text             NOT NULL,
    selected         bigint           NOT NULL,
    replayed         bigint           NOT NULL DEFAULT 0,
    skipped          bigint           NOT NULL DEFAULT 0,
    -- Of those that were skipped.
    refused          bigint           NOT NULL DEFAULT 0,
    failed           bigint           NOT NULL DEFAULT 0,

    -- Grows each time that a process takes it up, which has it until then.
    fence            bigint           NOT NULL DEFAULT 0,
    lease_until      timestamptz,
    stopped_by       text,
    finished_at      timestamptz,
    reason           text,

    CONSTRAINT dead_letter_replays_pkey PRIMARY KEY (id),
    CONSTRAINT dead_letter_replays_requested_by CHECK (length(requested_by) BETWEEN 1 AND 128),
    CONSTRAINT dead_letter_replays_stopped_by CHECK (length(stopped_by) BETWEEN 1 AND 128),
    CONSTRAINT dead_letter_replays_state CHECK (state IN ('running', 'finished', 'stopped', 'failed')),
    CONSTRAINT dead_letter_replays_finished CHECK ((finished_at IS NOT NULL) = (state <> 'running')),
    CONSTRAINT dead_letter_replays_counts CHECK (
        refused <= skipped AND replayed + skipped + failed <= selected
    )
);
CREATE INDEX dead_letter_replays_by_time ON dead_letter_replays (created_at, id);
CREATE INDEX dead_letter_replays_running ON dead_letter_replays (created_at) WHERE state = 'running';

-- The list, frozen when it was asked for, and what became of each letter.
CREATE TABLE dead_letter_replay_items (
    replay_id      uuid    NOT NULL,
    position       integer NOT NULL,
    dead_letter_id uuid    NOT NULL,
    result         text,
    reason         text,

    CONSTRAINT dead_letter_replay_items_pkey PRIMARY KEY (replay_id, position),
    CONSTRAINT dead_letter_replay_items_letter UNIQUE (replay_id, dead_letter_id),
    CONSTRAINT dead_letter_replay_items_replay FOREIGN KEY (replay_id) REFERENCES dead_letter_replays (id),
    CONSTRAINT dead_letter_replay_items_result CHECK (result IN ('replayed', 'skipped', 'refused', 'failed'))
);
