-- An account: the directory of its towns.

CREATE TABLE towns (
  town_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
