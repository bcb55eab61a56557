-- What callers' queries cost, by day: the budget is held against it. A day's row may be let go once the day is over.
CREATE TABLE app.query_spend (
    tenant  text NOT NULL,
    user_id text NOT NULL,
    day     date NOT NULL,
    queries bigint NOT NULL,
    seconds double precision NOT NULL,
    rows    numeric NOT NULL,
    PRIMARY KEY (tenant, user_id, day)
);
