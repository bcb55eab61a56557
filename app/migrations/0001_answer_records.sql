-- One row per answered (or declined) question: audit, history, replay, evaluation.
CREATE SCHEMA IF NOT EXISTS app;

CREATE TABLE app.answer_records (
    id              text PRIMARY KEY,
    at              timestamptz NOT NULL,
    tenant          text NOT NULL,
    user_id         text NOT NULL,
    conversation_id text NOT NULL,
    question        text NOT NULL,
    route           text NOT NULL,
    outcome         text NOT NULL,
    seconds         double precision NOT NULL,
    record          jsonb NOT NULL
);

CREATE INDEX answer_records_by_user ON app.answer_records (tenant, user_id, at DESC);
CREATE INDEX answer_records_by_conversation ON app.answer_records (conversation_id, at);

-- Rows live apart from the record, so that they can be let go earlier than the audit trail.
CREATE TABLE app.answer_rows (
    record_id text PRIMARY KEY REFERENCES app.answer_records ON DELETE CASCADE,
    kept_at   timestamptz NOT NULL,
    columns   text[] NOT NULL,
    rows      jsonb NOT NULL
);
