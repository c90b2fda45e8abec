-- compatible-from: 0007
-- How a sweep finds the operations that are open, or whose end nobody was notified of, among all that there are.
--
-- Until now: by the transaction that had inserted them. But the numbers of transactions are those of one server: after a dump
-- and a restore every operation seemed to be new, and all of them were read again and again. Nor does a mark move on while some
-- old transaction is open.
--
-- From now on each commit that inserts operations leaves a row here, by a trigger, so that a processor of the version before
-- does it too. Whoever collects takes the rows that it sees: one that is committed late is seen later, none is missed, and
-- what there is to read is what has come since. One row for a batch of operations; the hot path pays for nothing else.

CREATE TABLE new_operations (
    position    bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_ids uuid[] NOT NULL
);

-- With the search path of now: a restore has none.
CREATE FUNCTION note_new_operations() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO new_operations (payment_ids)
    SELECT array_agg(payment_id) FROM added WHERE state IN ('SENT', 'UNKNOWN') OR told_at IS NULL HAVING count(*) > 0;
    RETURN NULL;
END
$$;

CREATE TRIGGER operations_noted AFTER INSERT ON operations REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_new_operations();
