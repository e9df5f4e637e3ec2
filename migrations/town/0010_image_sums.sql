-- Bytes of the pictures that are kept of each agent: so the agents that take most are found without reading all pictures.
CREATE TABLE image_sums (
  agent_id TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
INSERT INTO image_sums (agent_id, bytes)
  SELECT agent_id, sum(size_bytes) FROM images WHERE standing = 'kept' GROUP BY agent_id;
