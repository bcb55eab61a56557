-- What is reserved of a budget for queries that run: a process that is killed settles nothing, and its lease runs out.
CREATE TABLE app.query_leases (
    id      text PRIMARY KEY,
    tenant  text NOT NULL,
    user_id text NOT NULL,
    day     date NOT NULL,
    seconds double precision NOT NULL,
    until   timestamptz NOT NULL
);
CREATE INDEX query_leases_caller ON app.query_leases (tenant, user_id);
