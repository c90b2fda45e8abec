-- compatible-from: 0007
-- A request that was in flight when its processor was killed, and that the bank answered with an error: the connection keeper has seen
-- it, and notes the fence under which it was sent. Such a request is no reason to suspect a second hold.
ALTER TABLE operations ADD COLUMN failed_fence bigint;
