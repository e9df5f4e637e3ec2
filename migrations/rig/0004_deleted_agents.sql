-- The rig's newest id when an agent was deleted last: that event may be gone, and its id is not given a second time.
ALTER TABLE rig ADD COLUMN erased_head INTEGER NOT NULL DEFAULT 0;
