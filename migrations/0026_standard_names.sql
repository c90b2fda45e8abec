-- The columns get the names of the field. Instant: nothing is rewritten. A version before this one does not find them, hence no
-- "compatible-from".

ALTER TABLE payments RENAME COLUMN held_by TO active_operation_id;

ALTER TABLE operations RENAME COLUMN fence TO fencing_token;
ALTER TABLE operations RENAME COLUMN failed_fence TO failed_fencing_token;
ALTER TABLE operations RENAME COLUMN settled_at TO completed_at;
ALTER TABLE operations RENAME COLUMN told_at TO notified_at;
ALTER TABLE operations RENAME CONSTRAINT operations_fence TO operations_fencing_token;

ALTER TABLE operation_attempts RENAME COLUMN fence TO fencing_token;

ALTER TABLE bank_effects RENAME COLUMN look_at TO next_check_at;
ALTER TABLE bank_effects RENAME COLUMN looks TO checks;
ALTER TABLE open_operations RENAME COLUMN looks TO checks;

ALTER TABLE dead_letters RENAME COLUMN reopened_fence TO reopened_fencing_token;
ALTER TABLE dead_letters RENAME COLUMN replay_fence TO replay_fencing_token;
ALTER TABLE dead_letter_replays RENAME COLUMN fence TO fencing_token;

-- As of 0011, with the new name.
CREATE OR REPLACE FUNCTION note_new_operations() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO new_operations (payment_ids)
    SELECT array_agg(payment_id) FROM added
    WHERE state IN ('SENT', 'UNKNOWN') OR notified_at IS NULL HAVING count(*) > 0;
    RETURN NULL;
END
$$;
