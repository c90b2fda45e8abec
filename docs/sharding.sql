-- What would be declared to spread the tables over the nodes of a Citus cluster (docs/scale.md#many-databases), after
-- `processor migrate`. Not run by anything but a test, which holds it to the rule of Citus: a unique constraint of a
-- distributed table must contain the column that the table is distributed by.

-- Keys and bank ids are unique over all payments, so they need places of their own.
CREATE TABLE operation_keys (
    merchant_id     text NOT NULL,
    idempotency_key text NOT NULL,
    payment_id      uuid NOT NULL,
    PRIMARY KEY (merchant_id, idempotency_key)
);
CREATE TABLE bank_ids (
    bank_id    text NOT NULL PRIMARY KEY,
    payment_id uuid NOT NULL
);
INSERT INTO operation_keys SELECT merchant_id, idempotency_key, payment_id FROM operations;
INSERT INTO bank_ids SELECT bank_id, payment_id FROM bank_effects;

-- What is unique over all payments there, is unique for each payment here.
ALTER TABLE operations DROP CONSTRAINT operations_pkey, ADD PRIMARY KEY (payment_id, merchant_id, idempotency_key);
ALTER TABLE bank_effects DROP CONSTRAINT bank_effects_bank_id, ADD UNIQUE (payment_id, bank_id);
ALTER TABLE outbox DROP CONSTRAINT outbox_pkey, ADD PRIMARY KEY (payment_id, id);
ALTER TABLE open_operations DROP CONSTRAINT open_operations_pkey, ADD PRIMARY KEY (payment_id, operation_id);
DROP INDEX waiting_commands_position;
CREATE INDEX waiting_commands_position ON waiting_commands (payment_id, position);
-- Citus runs no triggers on distributed tables: the claim would write to open_operations itself.
DROP TRIGGER operations_noted ON operations;

-- Everything that a command reads and writes is on the node of its payment.
SELECT create_distributed_table('payments', 'id');
SELECT create_distributed_table('operations', 'payment_id', colocate_with => 'payments');
SELECT create_distributed_table('bank_effects', 'payment_id', colocate_with => 'payments');
SELECT create_distributed_table('payment_history', 'payment_id', colocate_with => 'payments');
SELECT create_distributed_table('operation_attempts', 'payment_id', colocate_with => 'payments');
SELECT create_distributed_table('waiting_commands', 'payment_id', colocate_with => 'payments');
SELECT create_distributed_table('open_operations', 'payment_id', colocate_with => 'payments');
SELECT create_distributed_table('outbox', 'payment_id', colocate_with => 'payments');
SELECT create_distributed_table('possible_orphans', 'payment_id', colocate_with => 'payments');
SELECT create_distributed_table('unmatched_authorizations', 'payment_id', colocate_with => 'payments');
-- But for these two, one row each.
SELECT create_distributed_table('operation_keys', 'idempotency_key');
SELECT create_distributed_table('bank_ids', 'bank_id');

-- Small, and of no payment or of any: on the coordinator.
SELECT citus_add_local_table_to_metadata('awaited_replies');
SELECT citus_add_local_table_to_metadata('bank_status');
SELECT citus_add_local_table_to_metadata('command_minutes');
SELECT citus_add_local_table_to_metadata('dead_letters');
SELECT citus_add_local_table_to_metadata('dead_letter_audit');
SELECT citus_add_local_table_to_metadata('dead_letter_replays');
SELECT citus_add_local_table_to_metadata('dead_letter_replay_items');
SELECT citus_add_local_table_to_metadata('dead_letter_returns');
SELECT citus_add_local_table_to_metadata('members');
SELECT citus_add_local_table_to_metadata('new_operations');
SELECT citus_add_local_table_to_metadata('processor_facts');
SELECT citus_add_local_table_to_metadata('schema_migrations');
SELECT citus_add_local_table_to_metadata('sweep_marks');
SELECT citus_add_local_table_to_metadata('sweep_runs');
