-- A town: who is in it, what happened, and who may watch. One row of `agent_events` is one event as viewers get it.

CREATE TABLE town (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  town_id TEXT NOT NULL,
  name TEXT NOT NULL,
  epoch TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE rigs (
  rig_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  git_url TEXT,
  default_branch TEXT,
  created_at_ms INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

-- `state` is the reducer's result over all events, `base` over those that are pruned: what is retained always leads from
-- the one to the other. Both hold {"state":…,"memory":…}.
CREATE TABLE agents (
  agent_id TEXT PRIMARY KEY,
  rig_id TEXT NOT NULL,
  state TEXT NOT NULL,
  base TEXT NOT NULL,
  event_count INTEGER NOT NULL DEFAULT 0,
  event_bytes INTEGER NOT NULL DEFAULT 0,
  first_id INTEGER NOT NULL DEFAULT 0,      -- its first event ever
  pruned_id INTEGER NOT NULL DEFAULT 0,     -- its events up to this id are gone
  pruned_count INTEGER NOT NULL DEFAULT 0,
  pruned_at_head INTEGER NOT NULL DEFAULT 0 -- the town's head when they went
) WITHOUT ROWID, STRICT;

CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  agent_id TEXT NOT NULL,
  run_number INTEGER NOT NULL,
  source TEXT NOT NULL,
  source_epoch TEXT,                        -- NULL until the control server's own word names it
  started_at_ms INTEGER NOT NULL,
  first_id INTEGER NOT NULL,
  last_id INTEGER,                          -- this and the next three are set at the end
  ended_at_ms INTEGER,
  exit TEXT,
  totals TEXT,
  dropped_count INTEGER NOT NULL DEFAULT 0  -- events that came after the end
) WITHOUT ROWID, STRICT;
CREATE INDEX runs_by_agent ON runs (agent_id, run_number);
CREATE INDEX runs_open ON runs (source, agent_id) WHERE exit IS NULL;

CREATE TABLE agent_events (
  id INTEGER PRIMARY KEY,
  agent_id TEXT NOT NULL,
  run_id TEXT,
  event TEXT NOT NULL,
  frame TEXT NOT NULL
) STRICT;
CREATE INDEX agent_events_by_agent ON agent_events (agent_id, id);

-- Only for events whose frame form was cut.
CREATE TABLE whole_events (
  id INTEGER PRIMARY KEY,
  event TEXT NOT NULL
) STRICT;

-- `container`, or `rig:` and its id: how far the source's log has been taken over, within which of its lives.
CREATE TABLE sources (
  source TEXT PRIMARY KEY,
  epoch TEXT NOT NULL,
  cursor INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE TABLE retired_epochs (
  source TEXT NOT NULL,
  epoch TEXT NOT NULL,
  PRIMARY KEY (source, epoch)
) WITHOUT ROWID, STRICT;
CREATE TABLE silence (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  since_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE tickets (
  ticket TEXT PRIMARY KEY,
  agent_id TEXT,                            -- NULL: the whole town
  principal TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX tickets_by_expiry ON tickets (expires_at_ms);
