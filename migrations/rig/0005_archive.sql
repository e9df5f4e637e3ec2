-- Whether the town has put the agent away: nothing new is taken of it until it is registered again, started, or brought back.
ALTER TABLE agents ADD COLUMN is_archived INTEGER NOT NULL DEFAULT 0;
