-- compatible-from: 0007
-- concurrently: dead_letters_by_message ON dead_letters
-- The dead letters of a message, for the list of payments by message id.
CREATE INDEX CONCURRENTLY IF NOT EXISTS dead_letters_by_message ON dead_letters (message_id) WHERE message_id IS NOT NULL
