-- What is left of agents that were deleted: that no id of theirs is given again, and that what is still under way of theirs
-- does not bring them back.

-- The town's newest id when an agent was deleted last: that event may be gone, and its id is not given a second time. 0 before
-- the first deletion.
ALTER TABLE town ADD COLUMN erased_head INTEGER NOT NULL DEFAULT 0;

-- Runs in the container whose agent was deleted, as long as the container may still tell of them.
CREATE TABLE erased_runs (
  number INTEGER PRIMARY KEY,               -- the order in which they were erased: the lowest go first
  run_id TEXT NOT NULL UNIQUE,
  agent_id TEXT NOT NULL,
  source_epoch TEXT
) STRICT;
CREATE INDEX erased_runs_by_agent ON erased_runs (agent_id);
