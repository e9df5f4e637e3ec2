-- Runs that the town has ended, or is about to: what is posted under their names is refused. `is_stopped`: also what names
-- no run, until the agent is registered again, posts under another name or is started.
CREATE TABLE ended_runs (
  agent_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  ended_at_ms INTEGER NOT NULL,
  PRIMARY KEY (agent_id, run_id)
) WITHOUT ROWID, STRICT;
ALTER TABLE agents ADD COLUMN is_stopped INTEGER NOT NULL DEFAULT 0;
