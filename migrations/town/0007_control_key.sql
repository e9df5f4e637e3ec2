-- The private key with which this town signs its calls to the control server of its own container. That server is given
-- the public one at its start.
CREATE TABLE control_key (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seed BLOB NOT NULL CHECK (length(seed) = 32)
) STRICT;
