-- The rig's newest id when an agent was deleted last: that event may be gone, and its id is not given a second time.
CREATE TABLE erased_head (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id INTEGER NOT NULL
) STRICT;
