-- Agents' tokens that were made here. One is good only while its row is, and as long as that does not say that it was
-- revoked. They are read by their agent, newest first: an id begins with its time.
CREATE TABLE agent_tokens (
  agent_id TEXT NOT NULL,
  token_id TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  used_at_ms INTEGER,  -- to the minute
  revoked_at_ms INTEGER,
  PRIMARY KEY (agent_id, token_id)
) WITHOUT ROWID, STRICT;
-- Of an agent's tokens without an id: when one was used last, and until when those were made that are refused.
ALTER TABLE agents ADD COLUMN token_without_id_used_at_ms INTEGER;
ALTER TABLE agents ADD COLUMN tokens_revoked_at_ms INTEGER;
