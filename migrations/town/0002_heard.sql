-- Of agents that post: when the town last took over an event, and whether it has called the agent silent since.
ALTER TABLE agents ADD COLUMN heard_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agents ADD COLUMN is_silent INTEGER NOT NULL DEFAULT 0;
UPDATE agents SET heard_at_ms = coalesce(unixepoch(json_extract(state, '$.state.last_event_at')), 0) * 1000;
