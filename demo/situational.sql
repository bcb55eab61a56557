-- The office side of the insurer: who works there, whom they look after, what was said on the phone.
CREATE SCHEMA insurer;
CREATE TABLE insurer.roles (role text PRIMARY KEY, description text NOT NULL);
CREATE TABLE insurer.users (
    id text PRIMARY KEY, name text NOT NULL, language text NOT NULL CHECK (language IN ('en', 'ja')),
    tenant text NOT NULL DEFAULT 'default', roles text[] NOT NULL, attributes jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE insurer.customers (
    customer_id text PRIMARY KEY, name text NOT NULL, name_ja text NOT NULL, birth_date date NOT NULL,
    prefecture text NOT NULL, agent_id text NOT NULL, phone text NOT NULL, customer_since date NOT NULL,
    as_of date NOT NULL
);
CREATE INDEX ON insurer.customers (agent_id);
CREATE INDEX ON insurer.customers (prefecture);
CREATE TABLE insurer.vehicles (
    vehicle_id text PRIMARY KEY, customer_id text NOT NULL REFERENCES insurer.customers,
    vehicle_class text NOT NULL, model_year integer NOT NULL
);
-- The latest policy of each vehicle; the warehouse has the history.
CREATE TABLE insurer.policies (
    policy_id text PRIMARY KEY, customer_id text NOT NULL REFERENCES insurer.customers,
    vehicle_id text NOT NULL REFERENCES insurer.vehicles, plan text NOT NULL, status text NOT NULL,
    policy_start date NOT NULL, policy_end date NOT NULL, annual_premium_yen bigint NOT NULL,
    deductible_yen bigint NOT NULL, towing_km integer NOT NULL, grade integer NOT NULL
);
CREATE INDEX ON insurer.policies (customer_id);
CREATE TABLE insurer.open_claims (
    claim_id text PRIMARY KEY, customer_id text NOT NULL REFERENCES insurer.customers, cause text NOT NULL,
    occurred_on date NOT NULL, reserve_yen bigint NOT NULL
);
CREATE INDEX ON insurer.open_claims (customer_id);
-- The last twelve months of calls.
CREATE TABLE insurer.call_notes (
    call_id text PRIMARY KEY, customer_id text NOT NULL REFERENCES insurer.customers, called_at timestamp NOT NULL,
    reason text NOT NULL, note text NOT NULL
);
CREATE INDEX ON insurer.call_notes (customer_id, called_at DESC);

CREATE VIEW insurer.customer_card AS
SELECT
    c.customer_id, c.name, c.name_ja, c.prefecture, c.agent_id, c.customer_since, c.as_of,
    (SELECT count(*) FROM insurer.open_claims AS o WHERE o.customer_id = c.customer_id) AS open_claims,
    (SELECT n.called_at::date || ' · ' || n.note FROM insurer.call_notes AS n WHERE n.customer_id = c.customer_id
     ORDER BY n.called_at DESC, n.call_id DESC LIMIT 1) AS last_call
FROM insurer.customers AS c;

CREATE VIEW insurer.policy_card AS
SELECT
    p.policy_id, p.customer_id, c.prefecture, c.agent_id, p.plan,
    v.vehicle_class || ' (' || v.model_year || ')' AS vehicle, p.status, p.policy_start, p.policy_end,
    p.annual_premium_yen, p.deductible_yen, p.towing_km, p.grade, c.as_of
FROM insurer.policies AS p
JOIN insurer.customers AS c USING (customer_id)
JOIN insurer.vehicles AS v USING (vehicle_id);
