CREATE TABLE event (
    seq  INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    fund TEXT NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX event_by_fund ON event (fund, seq);

-- Against mistakes; who means to change a row can drop these, and then the hashes tell.
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only: a row is never changed');
END;

CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only: a row is never deleted');
END;

-- One row: the last writer. Its token is what every append must carry.
CREATE TABLE writer (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    token INTEGER NOT NULL,
    owner TEXT NOT NULL,
    host  TEXT NOT NULL,
    pid   INTEGER NOT NULL,
    since INTEGER NOT NULL
) STRICT;

INSERT INTO writer VALUES (1, 0, '', '', 0, 0);
