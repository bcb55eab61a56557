-- Turns of conversations. Words are kept as the application tokenises them, so that Japanese is found without a
-- dictionary; `at` is indexed per caller for retention and erasure as well as for "newest first".
CREATE SCHEMA IF NOT EXISTS retrieval;

CREATE TABLE retrieval.turns (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    user_id text NOT NULL,
    conversation_id text NOT NULL,
    question text NOT NULL,
    answer text NOT NULL,
    record_id text NOT NULL,
    at timestamptz NOT NULL,
    tokens text[] NOT NULL
);

CREATE INDEX turns_conversation ON retrieval.turns (tenant, user_id, conversation_id, at DESC, id DESC);
CREATE INDEX turns_caller ON retrieval.turns (tenant, user_id, at DESC);
CREATE INDEX turns_tokens ON retrieval.turns USING gin (tokens);
