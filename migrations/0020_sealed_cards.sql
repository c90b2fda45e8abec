-- compatible-from: 0018
-- A dead letter keeps its card as its sender has sealed it, and no other: encrypted for a key that is not in the database. It is
-- erased when the dead letter is closed, its operation is complete, or its time is over. To a processor of the version before, such a
-- dead letter is one whose card was reduced.

ALTER TABLE dead_letters
    ADD COLUMN sealed_card text,
    -- Five parts of base64url: no digits of a card that is not sealed.
    ADD CONSTRAINT dead_letters_sealed_card CHECK (
        sealed_card IS NULL
        OR operation = 'authorize' AND length(sealed_card) <= 4096
            AND sealed_card ~ '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+){3}$'
    );

-- What is to be erased: few rows, however many dead letters there have been.
CREATE INDEX dead_letters_sealed ON dead_letters (ingested_at) WHERE sealed_card IS NOT NULL;

ALTER TABLE dead_letter_audit
    DROP CONSTRAINT dead_letter_audit_result,
    ADD CONSTRAINT dead_letter_audit_result CHECK (
        action || ' ' || result IN (
            'replay started', 'replay replayed', 'replay failed', 'discard discarded', 'erase erased'
        )
    );
