-- Agents and rigs that are put away: they leave the lists, and stay readable by their ids.
ALTER TABLE agents ADD COLUMN archived_at_ms INTEGER;
ALTER TABLE rigs ADD COLUMN archived_at_ms INTEGER;
-- Counts look at no row, and pages of archived agents at no other. Events of an agent write to none of these; that it is
-- archived stands in each, since what is counted is looked up nowhere else.
CREATE INDEX agents_present ON agents (agent_id, archived_at_ms) WHERE archived_at_ms IS NULL;
CREATE INDEX agents_archived ON agents (agent_id, archived_at_ms) WHERE archived_at_ms IS NOT NULL;
-- What of archived agents is pruned: a reader is told of it, and there may be ten times as many as of others.
CREATE INDEX agents_archived_pruned
  ON agents (pruned_id, pruned_at_head, agent_id, first_id, pruned_count, archived_at_ms) WHERE archived_at_ms IS NOT NULL;
