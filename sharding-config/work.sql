-- SPDX-License-Identifier: ISC
--
-- The tables by which several hosts share one run: `crlpress publish --share`.
-- To be run once by a role that may create schemas and roles, in the database
-- that [share] conninfo names; running it again changes nothing:
--
--     psql -v ON_ERROR_STOP=1 -f work.sql
--     psql -c 'GRANT crlpress_worker TO the_role_of_the_job'
--
-- It may be another database than that of the revoked certificates, and has
-- to be one that can be written to. docs/hosts.md has the protocol.

BEGIN;
SET LOCAL client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS crlpress;

CREATE TABLE IF NOT EXISTS crlpress.work_issuer (
    issuer text PRIMARY KEY
        CONSTRAINT work_issuer_issuer_check CHECK (issuer <> ''),
    number numeric(49) NOT NULL DEFAULT 0
);
COMMENT ON TABLE crlpress.work_issuer IS
    'The lock row of each issuer, and the last CRL number given out here';

CREATE TABLE IF NOT EXISTS crlpress.work_run (
    run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issuer text NOT NULL REFERENCES crlpress.work_issuer,
    configuration text NOT NULL,
    state text NOT NULL DEFAULT 'opening'
        CONSTRAINT work_run_state_check CHECK (
            state IN ('opening', 'making', 'putting', 'closing', 'done',
                'refused', 'abandoned')),
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    opener bigint,
    closer bigint,
    snapshot text,
    this_update bigint,
    lookback bigint,
    CONSTRAINT work_run_ended_check CHECK (
        (state IN ('done', 'refused', 'abandoned')) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX IF NOT EXISTS work_run_one_idx
    ON crlpress.work_run (issuer) WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS work_run_issuer_idx
    ON crlpress.work_run (issuer, run);
COMMENT ON TABLE crlpress.work_run IS
    'One row a run; of each issuer one at most that has not ended';

CREATE TABLE IF NOT EXISTS crlpress.work_worker (
    worker bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL REFERENCES crlpress.work_run ON DELETE CASCADE,
    host text NOT NULL,
    until timestamptz NOT NULL,
    can_make boolean NOT NULL DEFAULT true,
    lost boolean NOT NULL DEFAULT false
);
CREATE INDEX IF NOT EXISTS work_worker_run_idx ON crlpress.work_worker (run);
COMMENT ON TABLE crlpress.work_worker IS
    'Who takes part in a run, and until when its lease lasts by this '
    'server''s clock';

CREATE TABLE IF NOT EXISTS crlpress.work_shard (
    run bigint NOT NULL REFERENCES crlpress.work_run ON DELETE CASCADE,
    shard bigint NOT NULL,
    state text NOT NULL
        CONSTRAINT work_shard_state_check CHECK (
            state IN ('open', 'leased', 'made', 'published', 'withheld',
                'failed')),
    worker bigint,
    rows bigint NOT NULL,
    standing text NOT NULL,
    number numeric(49),
    entries_before bigint NOT NULL DEFAULT 0,
    entries_now bigint NOT NULL DEFAULT 0,
    listed bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    expired bigint NOT NULL DEFAULT 0,
    gone bigint NOT NULL DEFAULT 0,
    deferred bigint NOT NULL DEFAULT 0,
    gates bigint NOT NULL DEFAULT 0,
    CONSTRAINT work_shard_pkey PRIMARY KEY (run, shard)
);
COMMENT ON TABLE crlpress.work_shard IS
    'One row a shard of a run: who has it, and what became of it';

CREATE TABLE IF NOT EXISTS crlpress.work_attempt (
    run bigint NOT NULL REFERENCES crlpress.work_run ON DELETE CASCADE,
    shard bigint NOT NULL,
    number numeric(49) NOT NULL,
    this_update bigint NOT NULL,
    next_update bigint NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL,
    entries bigint NOT NULL,
    added bigint NOT NULL,
    removed bigint NOT NULL,
    leaving bigint NOT NULL,
    replaced bigint,
    settled bigint,
    expiring text,
    CONSTRAINT work_attempt_pkey PRIMARY KEY (run, shard, number)
);
-- A table that an earlier version of this file made has none.
ALTER TABLE crlpress.work_attempt ADD COLUMN IF NOT EXISTS expiring text;
COMMENT ON TABLE crlpress.work_attempt IS
    'What was about to be put under which number, written before the put';

-- Roles belong to the whole cluster: another database may have made them.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles
                   WHERE rolname = 'crlpress_worker') THEN
        CREATE ROLE crlpress_worker NOLOGIN;
        COMMENT ON ROLE crlpress_worker IS
            'Shares runs of crlpress(1) between hosts';
    END IF;
END
$$;

GRANT USAGE ON SCHEMA crlpress TO crlpress_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON crlpress.work_run TO crlpress_worker;
GRANT SELECT, INSERT, UPDATE ON crlpress.work_issuer, crlpress.work_worker,
    crlpress.work_shard, crlpress.work_attempt TO crlpress_worker;

COMMIT;
