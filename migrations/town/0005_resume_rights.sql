-- Whose right a ticket passes on: `principal` names the credential that it was made by, and this is when that ends by itself.
ALTER TABLE tickets ADD COLUMN principal_ends_at_ms INTEGER;

-- Rights to go on with an event stream that a ticket opened. Neither the ticket nor the token is in here, only their hashes.
CREATE TABLE resume_rights (
  number INTEGER PRIMARY KEY,               -- the order in which their streams were opened last: the lowest go first
  ticket_hash TEXT NOT NULL UNIQUE,
  token_hash TEXT NOT NULL,
  agent_id TEXT,                            -- NULL: the whole town
  epoch TEXT NOT NULL,                      -- the life of the log that the stream's ids belong to
  principal TEXT NOT NULL,                  -- this and the next are the ticket's
  principal_ends_at_ms INTEGER,
  expires_at_ms INTEGER NOT NULL
) STRICT;
