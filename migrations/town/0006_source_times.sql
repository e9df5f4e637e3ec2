-- Of a container that names no life: whether it gives its events other times each time it tells them, so that their times
-- tell nothing of its lives.
ALTER TABLE sources ADD COLUMN restamps INTEGER NOT NULL DEFAULT 0;
-- The other time that the marked event was told with, and since when that is known, until it is clear what it means.
ALTER TABLE sources ADD COLUMN doubted_at_ms INTEGER;
ALTER TABLE sources ADD COLUMN doubted_since_ms INTEGER;
-- `mark` is made of the event's agent, name and data from now on. Until the next event makes one its time alone counts.
UPDATE sources SET mark = NULL;
