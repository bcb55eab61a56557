-- What was ingested, what could not be, and what was decided when.
CREATE SCHEMA IF NOT EXISTS ingest;

-- One row a document. `writing` is set before the semantic store is touched and `current` after: whatever a killed
-- run left behind is known here, and is written again or deleted by the next.
CREATE TABLE ingest.documents (
    id           text PRIMARY KEY,
    tenant       text        NOT NULL,
    source       text        NOT NULL,
    key          text        NOT NULL,
    uri          text        NOT NULL,
    state        text        NOT NULL CHECK (state IN ('writing', 'current')),
    version      text        NOT NULL,
    sha256       text        NOT NULL,
    fingerprint  text        NOT NULL,
    parser       text        NOT NULL,
    splitter     text        NOT NULL,
    embedder     text        NOT NULL,
    media_type   text        NOT NULL,
    title        text        NOT NULL,
    language     text        NOT NULL,
    labels       text[]      NOT NULL,
    warnings     text[]      NOT NULL,
    chunks       integer     NOT NULL,
    as_of        timestamptz,
    decided_at   timestamptz NOT NULL,
    UNIQUE (tenant, source, key)
);

CREATE TABLE ingest.quarantine (
    id           text PRIMARY KEY,
    tenant       text        NOT NULL,
    source       text        NOT NULL,
    key          text        NOT NULL,
    uri          text        NOT NULL,
    sha256       text        NOT NULL,   -- '' where the bytes could not be had
    fingerprint  text        NOT NULL,
    readers      text        NOT NULL,   -- the set of parsers that failed: another set tries again
    reason       text        NOT NULL,
    retry        boolean     NOT NULL,   -- the reason may pass by itself
    attempts     integer     NOT NULL,
    first_at     timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,
    UNIQUE (tenant, source, key)
);

CREATE TABLE ingest.decisions (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id  text        NOT NULL,
    uri          text        NOT NULL,
    version      text        NOT NULL,
    decision     text        NOT NULL CHECK (decision IN ('ingested', 'relabelled', 'removed', 'quarantined')),
    reason       text        NOT NULL,
    decided_at   timestamptz NOT NULL
);
CREATE INDEX decisions_by_document ON ingest.decisions (document_id, number);
