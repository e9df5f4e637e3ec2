-- Of a container that names no life: the last event taken over, by which its next life is known. `mark`: time, agent, name.
ALTER TABLE sources ADD COLUMN mark TEXT;
ALTER TABLE sources ADD COLUMN mark_at_ms INTEGER NOT NULL DEFAULT 0;
-- What is wrong with what the container answers, where it does answer.
ALTER TABLE silence ADD COLUMN problem TEXT;
