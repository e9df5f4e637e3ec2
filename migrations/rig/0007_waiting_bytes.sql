-- The bytes that wait are counted when the rig is opened, and a post need not write them.
ALTER TABLE rig DROP COLUMN waiting_bytes;
