-- Which secret made a fingerprint, so that secrets can change: the first eight bytes of a keyed digest. Where it is null, a version
-- before this one has made it, over the CVV too. Such a version takes no fingerprint of this one for its own, hence no
-- "compatible-from".

ALTER TABLE operations ADD COLUMN fingerprint_secret bigint;
ALTER TABLE dead_letters ADD COLUMN fingerprint_secret bigint;
