-- How many sends of an operation may have reached the bank, not only whether one did: a replay of an authorize accounts for one
-- of them, and says nothing about a second one (traps B2, B3).

ALTER TABLE operations ALTER COLUMN is_ambiguous TYPE integer USING is_ambiguous::integer;
ALTER TABLE operations RENAME COLUMN is_ambiguous TO ambiguous_sends;
