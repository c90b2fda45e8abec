-- compatible-from: 0021
-- concurrently: operations_by_message ON operations
-- Operations by the message that has begun them: the hour of their creation in front of a hash of the message's id, so that what is
-- inserted within an hour goes to the same few pages. Neither ever changes, so that updates stay heap-only. With the two columns it costs
-- a command about 120 bytes of WAL; an index over the ids themselves would cost 690, for a random page each.
CREATE INDEX CONCURRENTLY IF NOT EXISTS operations_by_message ON operations (message_slot) WHERE message_slot IS NOT NULL
