-- compatible-from: 0007
-- Events are noted apart from the reply: a listener's queue that is full, or an exchange that is missing, delays no command and repeats
-- no reply. What the broker does not take goes to the outbox in the commit that notes the reply; where the outbox has no room, the
-- events are due, and the reconciling sweep tells them when there is. A constant default writes no row anew.

ALTER TABLE operations ADD COLUMN events_due boolean NOT NULL DEFAULT false;
