-- The runs that an agent has begun here lately: one that goes on is known by it, and begins nothing.
CREATE TABLE posted_runs (
  agent_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  begun_at_ms INTEGER NOT NULL,
  PRIMARY KEY (agent_id, run_id)
) WITHOUT ROWID, STRICT;
-- How many it has begun in the minute that began then; and whether the town has ended one of its runs since, so that the next
-- event that names none begins another.
ALTER TABLE agents ADD COLUMN runs_begun INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agents ADD COLUMN runs_since_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agents ADD COLUMN has_ended_run INTEGER NOT NULL DEFAULT 0;
