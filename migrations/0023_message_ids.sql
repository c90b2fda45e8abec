-- compatible-from: 0021
-- The message that has begun an operation, for whoever asks by its id: also when the outcome is stored. Those from before have none.
ALTER TABLE operations ADD COLUMN message_id text, ADD COLUMN message_slot bigint
