-- Pictures that tools gave. They lie beside the log: an event only names them.

-- `wanted`: an event of the container names it, and the relay has not fetched it yet. `kept`: its bytes are in
-- `image_parts`. `gone`: they are not, and `problem` says why.
CREATE TABLE images (
  agent_id TEXT NOT NULL,
  image_id TEXT NOT NULL,
  standing TEXT NOT NULL CHECK (standing IN ('wanted', 'kept', 'gone')),
  event_id INTEGER NOT NULL,                -- the newest event that names it, or the next one when it was posted
  media_type TEXT,                          -- this and the next of one that is kept
  size_bytes INTEGER NOT NULL DEFAULT 0,
  tries INTEGER NOT NULL DEFAULT 0,
  retry_at_ms INTEGER NOT NULL DEFAULT 0,
  problem TEXT,
  PRIMARY KEY (agent_id, image_id)
) WITHOUT ROWID, STRICT;
CREATE INDEX images_wanted ON images (retry_at_ms, event_id) WHERE standing = 'wanted';

CREATE TABLE image_parts (
  agent_id TEXT NOT NULL,
  image_id TEXT NOT NULL,
  part INTEGER NOT NULL,                    -- from 0, each of 1 MiB but the last
  bytes BLOB NOT NULL,
  PRIMARY KEY (agent_id, image_id, part)
) WITHOUT ROWID, STRICT;
