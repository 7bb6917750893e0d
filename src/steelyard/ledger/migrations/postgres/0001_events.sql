CREATE TABLE journal.event (
    seq  bigint PRIMARY KEY,
    time bigint NOT NULL,
    fund text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    body bytea NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32)
);

CREATE INDEX event_by_fund ON journal.event (fund, seq);

-- Against mistakes; who means to change a row can drop these, and then the hashes tell.
CREATE FUNCTION journal.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only: a row is never changed or deleted';
END;
$$;

CREATE TRIGGER event_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.event
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();

-- One row: the last writer. Its token is what every append must carry.
CREATE TABLE journal.writer (
    one   integer PRIMARY KEY CHECK (one = 1),
    token bigint NOT NULL,
    owner text NOT NULL,
    host  text NOT NULL,
    pid   bigint NOT NULL,
    since bigint NOT NULL
);

INSERT INTO journal.writer VALUES (1, 0, '', '', 0, 0);
