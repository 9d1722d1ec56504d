-- Everything that is committed together for one event. Times are microseconds since 1970, UTC.
-- The widest column stands last, so that lists never read the pages of a body.
CREATE TABLE events (
    seq          INTEGER PRIMARY KEY,
    id           BLOB    NOT NULL,            -- UUIDv7, 16 bytes: grows at one end
    source       TEXT    NOT NULL,
    type         TEXT,
    external_id  TEXT,
    status       TEXT    NOT NULL CHECK (status IN ('accepted', 'quarantined')),
    received_at  INTEGER NOT NULL,
    traceparent  TEXT    NOT NULL,
    tracestate   TEXT,
    record       TEXT,                        -- JSON, for accepted events of a source with rules
    reasons      TEXT,                        -- JSON list, for quarantined events
    headers      TEXT    NOT NULL,            -- JSON object
    body         BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_by_id ON events (id);
CREATE INDEX events_by_source ON events (source, id);
CREATE INDEX events_by_type ON events (type, id);
CREATE INDEX events_in_quarantine ON events (id) WHERE status = 'quarantined';

-- What may happen once. The key covers source and external id, or source and refused body.
CREATE TABLE dedup (
    key          BLOB    NOT NULL PRIMARY KEY, -- 16 bytes
    event_id     BLOB    NOT NULL,
    body_digest  BLOB    NOT NULL              -- 16 bytes
) STRICT, WITHOUT ROWID;

-- Planned in the transaction of their event.
CREATE TABLE deliveries (
    event_seq    INTEGER NOT NULL,
    destination  TEXT    NOT NULL,
    due_at       INTEGER NOT NULL,
    PRIMARY KEY (event_seq, destination)
) STRICT, WITHOUT ROWID;
