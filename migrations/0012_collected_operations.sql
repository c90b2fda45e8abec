-- compatible-from: 0007
-- Operations that were inserted before there was the trigger of the migration before this one, and that no sweep had collected
-- yet. In a transaction of its own: it reads, and nobody waits for it.
--
-- The column created_in, its index and sweep_marks stay for processors of the version before.

INSERT INTO open_operations (operation_id, merchant_id, idempotency_key, payment_id, due_at)
SELECT o.id, o.merchant_id, o.idempotency_key, o.payment_id, o.lease_until
FROM sweep_marks m
JOIN operations o
    ON o.created_in >= CASE WHEN m.seen <= pg_snapshot_xmax(pg_current_snapshot()) THEN m.seen ELSE '0'::xid8 END
WHERE m.name = 'operations' AND (o.state IN ('SENT', 'UNKNOWN') OR o.told_at IS NULL)
ON CONFLICT DO NOTHING;
