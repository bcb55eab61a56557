-- The warehouse, from the staging tables that demo/warehouse.py registers (s_…, all keyed by row number).
-- Facts repeat place, plan, channel and agent, so that a row rule can be decided on each table by itself.
CREATE TABLE dates AS
SELECT
    d::DATE AS date, year(d)::INTEGER AS year, month(d)::INTEGER AS month, quarter(d)::INTEGER AS quarter,
    (year(d) - CASE WHEN month(d) < 4 THEN 1 ELSE 0 END)::INTEGER AS fiscal_year,
    ((month(d) + 8) % 12 // 3 + 1)::INTEGER AS fiscal_quarter,
    dayname(d) AS weekday, (dayofweek(d) IN (0, 6)) AS is_weekend
FROM unnest(generate_series(TIMESTAMP '2022-04-01', TIMESTAMP '2028-03-31', INTERVAL 1 DAY)) AS t(d)
ORDER BY 1;
ALTER TABLE dates ADD PRIMARY KEY (date);

CREATE TABLE prefectures (
    prefecture VARCHAR PRIMARY KEY, name_ja VARCHAR NOT NULL, region VARCHAR NOT NULL, region_ja VARCHAR NOT NULL,
    heavy_snow BOOLEAN NOT NULL
);
INSERT INTO prefectures SELECT name, name_ja, region, region_ja, snow FROM s_prefecture ORDER BY i;

CREATE TABLE products (
    product VARCHAR PRIMARY KEY, name_ja VARCHAR NOT NULL, base_premium_yen BIGINT NOT NULL,
    deductible_yen BIGINT NOT NULL, property_limit_yen BIGINT, injury_limit_yen BIGINT NOT NULL,
    towing_km INTEGER NOT NULL, rental_days INTEGER NOT NULL, legal_limit_yen BIGINT NOT NULL
);
INSERT INTO products
SELECT name, name_ja, base_premium, deductible, property_limit, injury_limit, towing_km, rental_days, legal_limit
FROM s_product ORDER BY i;

CREATE TABLE channels (channel VARCHAR PRIMARY KEY, name_ja VARCHAR NOT NULL);
INSERT INTO channels SELECT name, name_ja FROM s_channel ORDER BY i;

CREATE TABLE agents (
    agent_id VARCHAR PRIMARY KEY, agent_name VARCHAR NOT NULL, prefecture VARCHAR NOT NULL,
    channel VARCHAR NOT NULL, joined_on DATE NOT NULL
);
INSERT INTO agents
SELECT
    format('A{:04d}', a.i), CASE WHEN a.i = 0 THEN 'Direct business' ELSE s.name || ' ' || g.name END, p.name,
    c.name, a.joined
FROM s_agent AS a
JOIN s_surname AS s ON s.i = a.surname
JOIN s_given AS g ON g.i = a.given
JOIN s_prefecture AS p ON p.i = a.prefecture
JOIN s_channel AS c ON c.i = a.channel
ORDER BY a.i;

CREATE TABLE policies (
    policy_id VARCHAR {PRIMARY KEY}, previous_policy_id VARCHAR, customer_id VARCHAR NOT NULL,
    customer_name VARCHAR NOT NULL, birth_date DATE NOT NULL, age_band VARCHAR NOT NULL,
    vehicle_id VARCHAR NOT NULL, vehicle_class VARCHAR NOT NULL, model_year INTEGER NOT NULL,
    grade INTEGER NOT NULL, term_number INTEGER NOT NULL,
    product VARCHAR NOT NULL {REFERENCES products (product)},
    prefecture VARCHAR NOT NULL {REFERENCES prefectures (prefecture)},
    channel VARCHAR NOT NULL {REFERENCES channels (channel)},
    agent_id VARCHAR NOT NULL {REFERENCES agents (agent_id)},
    start_date DATE NOT NULL, end_date DATE NOT NULL, cancelled_on DATE, status VARCHAR NOT NULL,
    renewal_outcome VARCHAR NOT NULL, annual_premium_yen BIGINT NOT NULL
);
INSERT INTO policies
SELECT
    format('P-{:06d}', t.i + 1), CASE WHEN t.previous >= 0 THEN format('P-{:06d}', t.previous + 1) END,
    format('C-{:05d}', v.customer + 1), s.name || ' ' || g.name, c.birth,
    (SELECT band FROM s_age WHERE upper >= date_sub('year', c.birth, t.start) ORDER BY upper LIMIT 1),
    format('V-{:05d}', v.i + 1), k.name, v.model_year, t.grade, t.term, d.name, p.name, h.name,
    format('A{:04d}', c.agent), t.start, t."end", CASE WHEN t.cancelled THEN t.until END,
    CASE WHEN t.cancelled THEN 'Cancelled' WHEN t.outcome = 2 THEN 'Active' ELSE 'Expired' END,
    CASE t.outcome WHEN 0 THEN 'Renewed' WHEN 1 THEN 'Lapsed' WHEN 2 THEN 'Not due' ELSE 'Cancelled' END,
    t.premium
FROM s_policy AS t
JOIN s_vehicle AS v ON v.i = t.vehicle
JOIN s_customer AS c ON c.i = v.customer
JOIN s_surname AS s ON s.i = c.surname
JOIN s_given AS g ON g.i = c.given
JOIN s_vehicle_class AS k ON k.i = v."class"
JOIN s_product AS d ON d.i = v.product
JOIN s_prefecture AS p ON p.i = c.prefecture
JOIN s_channel AS h ON h.i = c.channel
ORDER BY t.i;

-- One row a policy and calendar month. Yen earned by days: what was earned through the month's end less what was
-- earned before it, each rounded down, so that a full year adds up to the annual premium exactly. A policy cancelled
-- on the first of a month has a row for that month too: its refund.
CREATE TABLE premiums (
    policy_id VARCHAR NOT NULL {REFERENCES policies (policy_id)}, month DATE NOT NULL,
    product VARCHAR NOT NULL {REFERENCES products (product)},
    prefecture VARCHAR NOT NULL {REFERENCES prefectures (prefecture)},
    channel VARCHAR NOT NULL {REFERENCES channels (channel)},
    agent_id VARCHAR NOT NULL {REFERENCES agents (agent_id)},
    earned_yen BIGINT NOT NULL, written_yen BIGINT NOT NULL, exposure_days INTEGER NOT NULL
    {, PRIMARY KEY (policy_id, month)}
);
INSERT INTO premiums
WITH cover AS (
    SELECT *, end_date - start_date AS term_days, least(coalesce(cancelled_on, end_date), $last + 1) AS until
    FROM policies
), months AS (
    SELECT *, unnest(generate_series(
        greatest(date_trunc('month', start_date), $first)::TIMESTAMP, date_trunc('month', coalesce(cancelled_on, until - 1))::TIMESTAMP,
        INTERVAL 1 MONTH))::DATE AS month
    FROM cover WHERE until > $first
), cut AS (
    SELECT *, greatest(start_date, month) AS since,
        least(until, (month + INTERVAL 1 MONTH)::DATE) AS upto
    FROM months
)
SELECT
    policy_id, month, product, prefecture, channel, agent_id,
    annual_premium_yen * (upto - start_date) // term_days - annual_premium_yen * (since - start_date) // term_days,
    CASE WHEN date_trunc('month', start_date) = month THEN annual_premium_yen ELSE 0 END
        - CASE WHEN date_trunc('month', cancelled_on) = month
            THEN annual_premium_yen - annual_premium_yen * (cancelled_on - start_date) // term_days ELSE 0 END,
    upto - since
FROM cut WHERE upto > since OR date_trunc('month', cancelled_on) = month
ORDER BY month, policy_id;

CREATE TABLE claims (
    claim_id VARCHAR {PRIMARY KEY}, policy_id VARCHAR NOT NULL {REFERENCES policies (policy_id)},
    product VARCHAR NOT NULL {REFERENCES products (product)},
    prefecture VARCHAR NOT NULL {REFERENCES prefectures (prefecture)},
    channel VARCHAR NOT NULL {REFERENCES channels (channel)},
    agent_id VARCHAR NOT NULL {REFERENCES agents (agent_id)},
    cause VARCHAR NOT NULL, occurred_on DATE NOT NULL, reported_on DATE NOT NULL, closed_on DATE,
    status VARCHAR NOT NULL, loss_yen BIGINT NOT NULL, deductible_yen BIGINT NOT NULL,
    incurred_yen BIGINT NOT NULL, paid_yen BIGINT NOT NULL, reserve_yen BIGINT NOT NULL
);
INSERT INTO claims
SELECT
    format('CL-{:06d}', t.i + 1), p.policy_id, p.product, p.prefecture, p.channel, p.agent_id, c.name, t.day,
    t.reported, CASE WHEN t.status <> 0 THEN least(t.closed, $last) END,
    CASE t.status WHEN 0 THEN 'Open' WHEN 1 THEN 'Closed' ELSE 'Rejected' END,
    t.loss, t.deductible, t.incurred, t.paid, t.incurred - t.paid
FROM s_claim AS t
JOIN policies AS p ON p.policy_id = format('P-{:06d}', t.policy + 1)
JOIN s_cause AS c ON c.i = t.cause
ORDER BY t.i;

CREATE TABLE payments (
    payment_id VARCHAR {PRIMARY KEY}, claim_id VARCHAR NOT NULL {REFERENCES claims (claim_id)},
    product VARCHAR NOT NULL {REFERENCES products (product)},
    prefecture VARCHAR NOT NULL {REFERENCES prefectures (prefecture)},
    channel VARCHAR NOT NULL {REFERENCES channels (channel)},
    agent_id VARCHAR NOT NULL {REFERENCES agents (agent_id)},
    paid_on DATE NOT NULL, payment_type VARCHAR NOT NULL, amount_yen BIGINT NOT NULL
);
INSERT INTO payments
SELECT
    format('PM-{:06d}', t.i + 1), c.claim_id, c.product, c.prefecture, c.channel, c.agent_id, t.day, k.name, t.amount
FROM s_payment AS t
JOIN claims AS c ON c.claim_id = format('CL-{:06d}', t.claim + 1)
JOIN s_payment_type AS k ON k.i = t.kind
ORDER BY t.i;

CREATE TABLE calls (
    call_id VARCHAR {PRIMARY KEY}, customer_id VARCHAR NOT NULL,
    policy_id VARCHAR NOT NULL {REFERENCES policies (policy_id)},
    product VARCHAR NOT NULL {REFERENCES products (product)},
    prefecture VARCHAR NOT NULL {REFERENCES prefectures (prefecture)},
    channel VARCHAR NOT NULL {REFERENCES channels (channel)},
    agent_id VARCHAR NOT NULL {REFERENCES agents (agent_id)},
    called_at TIMESTAMP NOT NULL, reason VARCHAR NOT NULL, duration_seconds INTEGER NOT NULL,
    wait_seconds INTEGER NOT NULL, resolved BOOLEAN NOT NULL
);
INSERT INTO calls
SELECT
    format('K-{:06d}', t.i + 1), p.customer_id, p.policy_id, p.product, p.prefecture, p.channel, p.agent_id,
    t."at", r.name, t.seconds, t.wait, t.resolved
FROM s_call AS t
JOIN policies AS p ON p.policy_id = format('P-{:06d}', t.policy + 1)
JOIN s_reason AS r ON r.i = t.reason
ORDER BY t.i;

CREATE TABLE campaigns (
    campaign_id VARCHAR PRIMARY KEY, campaign VARCHAR NOT NULL, goal VARCHAR NOT NULL, medium VARCHAR NOT NULL,
    offered_product VARCHAR, first_day DATE NOT NULL, last_day DATE NOT NULL, contact_cost_yen BIGINT NOT NULL
);
INSERT INTO campaigns
SELECT format('CP-{:02d}', c.i + 1), c.name, c.goal, c.medium, c.product, c.first, c.last, c.cost
FROM s_campaign AS c ORDER BY c.i;

-- One row a person reached by a campaign. Prospects who did not buy have neither customer nor policy; the plan they were
-- offered, where they live and the agent they would have had are known all the same.
CREATE TABLE campaign_contacts (
    contact_id VARCHAR {PRIMARY KEY}, campaign_id VARCHAR NOT NULL {REFERENCES campaigns (campaign_id)},
    goal VARCHAR NOT NULL, customer_id VARCHAR, policy_id VARCHAR {REFERENCES policies (policy_id)},
    product VARCHAR NOT NULL {REFERENCES products (product)},
    prefecture VARCHAR NOT NULL {REFERENCES prefectures (prefecture)},
    channel VARCHAR NOT NULL {REFERENCES channels (channel)},
    agent_id VARCHAR NOT NULL {REFERENCES agents (agent_id)},
    contacted_on DATE NOT NULL, converted BOOLEAN NOT NULL, converted_on DATE, cost_yen BIGINT NOT NULL
);
INSERT INTO campaign_contacts
SELECT
    format('CC-{:06d}', t.i + 1), format('CP-{:02d}', t.campaign + 1), c.goal,
    CASE WHEN t.policy >= 0 THEN p.customer_id END, CASE WHEN t.policy >= 0 THEN p.policy_id END,
    p.product, p.prefecture, p.channel, p.agent_id, t.day, t.converted, CASE WHEN t.converted THEN t.won END, t.cost
FROM s_contact AS t
JOIN policies AS p ON p.policy_id = format('P-{:06d}', t."like" + 1)
JOIN s_campaign AS c ON c.i = t.campaign
ORDER BY t.i;
