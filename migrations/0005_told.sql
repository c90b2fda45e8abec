-- Whether what there is to tell of an operation's end has been told: the reply and the events of an outcome, the dead letter of
-- one that needs a person (invariant I7). The delivery that settled an operation tells it; where that delivery is nobody's any
-- more, nothing else would: what has ended and was not told is told by the reconciling sweep, by way of the outbox.
--
-- Not indexed: the sweep finds such operations as it finds the open ones. What is there already counts as told: nobody noted it.

ALTER TABLE operations ADD COLUMN told_at timestamptz DEFAULT '-infinity';
ALTER TABLE operations ALTER COLUMN told_at DROP DEFAULT;

-- What needs a person has its dead letter from there, too.
ALTER TABLE outbox ADD COLUMN reply_to text;
ALTER TABLE outbox DROP CONSTRAINT outbox_destination;
ALTER TABLE outbox ADD CONSTRAINT outbox_destination CHECK (destination IN ('reply', 'event', 'dead_letter'));
