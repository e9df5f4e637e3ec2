-- Browsers that are signed in, and the codes of links that sign one in.

-- `ended_at_ms`: it was ended, and not every town knows yet.
CREATE TABLE sessions (
  session_id TEXT PRIMARY KEY,
  browser TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  seen_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER
) WITHOUT ROWID, STRICT;

CREATE TABLE sign_in_codes (
  code_hash TEXT PRIMARY KEY,
  expires_at_ms INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
