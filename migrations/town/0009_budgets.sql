-- What may be spent, and what has been: of an agent and of the town the present day's, so one row each, and of an agent
-- also the budget of its run: {"day":…,"run":…} and the day's alone.
ALTER TABLE agents ADD COLUMN budgets TEXT NOT NULL DEFAULT '{}';
ALTER TABLE town ADD COLUMN budget TEXT NOT NULL DEFAULT '{}';
-- Why a budget has a run stopped, and whether the one who has to know of it has heard it: the container, or the rig.
ALTER TABLE runs ADD COLUMN stop_message TEXT;
ALTER TABLE runs ADD COLUMN stop_heard INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_to_stop ON runs (run_id) WHERE stop_message IS NOT NULL AND stop_heard = 0;
