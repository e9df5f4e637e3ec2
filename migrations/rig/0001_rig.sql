-- A rig: the durable receipt of what its agents post, and the outbox to its town.

CREATE TABLE rig (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  rig_id TEXT NOT NULL,
  town_id TEXT NOT NULL,
  epoch TEXT NOT NULL,
  forwarded_id INTEGER NOT NULL DEFAULT 0,  -- the town has stored all up to this one
  waiting_bytes INTEGER NOT NULL DEFAULT 0  -- of the data of those after it
) STRICT;

CREATE TABLE agents (
  agent_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  event_count INTEGER NOT NULL DEFAULT 0,
  event_bytes INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID, STRICT;

CREATE TABLE agent_events (
  id INTEGER PRIMARY KEY,
  agent_id TEXT NOT NULL,
  event_key TEXT,
  run_id TEXT,
  event TEXT NOT NULL,
  data TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX agent_events_by_agent ON agent_events (agent_id, id);
CREATE UNIQUE INDEX agent_events_by_key ON agent_events (agent_id, event_key) WHERE event_key IS NOT NULL;
