-- SPDX-License-Identifier: ISC
--
-- The table that crlpress reads when a CA has none of its own. To be run once
-- by a role that may create schemas and roles; running it again changes
-- nothing:
--
--     psql -v ON_ERROR_STOP=1 -f native.sql
--     psql -c 'GRANT crlpress_reader TO the_role_of_the_cron_job'
--     psql -c 'GRANT crlpress_recorder TO the_role_of_the_ca'
--     psql -c 'GRANT crlpress_revoker TO the_role_of_who_may_revoke'
--
-- The constraints refuse what could never stand in a CRL, so that a mistake
-- is told to whoever makes it, and not to the next publication.

BEGIN;
SET LOCAL client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS crlpress;
COMMENT ON SCHEMA crlpress IS
    'Revoked certificates, to be published by crlpress(1)';

CREATE TABLE IF NOT EXISTS crlpress.revocation (
    issuer text NOT NULL
        CONSTRAINT revocation_issuer_check CHECK (issuer <> ''),
    serial bytea NOT NULL
        CONSTRAINT revocation_serial_check CHECK (
            CASE octet_length(serial)
                WHEN 0 THEN false
                WHEN 20 THEN get_byte(serial, 0) BETWEEN 1 AND 127
                ELSE octet_length(serial) < 20
                    AND get_byte(serial, 0) <> 0
            END),
    revoked_at timestamptz NOT NULL
        CONSTRAINT revocation_revoked_at_check CHECK (
            revoked_at >= '1950-01-01 00:00:00+00'
            AND revoked_at < '10000-01-01 00:00:00+00'),
    reason smallint NOT NULL
        CONSTRAINT revocation_reason_check CHECK (
            reason IN (0, 1, 2, 3, 4, 5, 6, 9, 10)),
    not_after timestamptz NOT NULL
        CONSTRAINT revocation_not_after_check CHECK (
            not_after >= '1950-01-01 00:00:00+00'
            AND not_after < '10000-01-01 00:00:00+00'),
    shard integer
        CONSTRAINT revocation_shard_check CHECK (shard >= 0),
    recorded_at timestamptz NOT NULL DEFAULT now()
        CONSTRAINT revocation_recorded_at_check CHECK (isfinite(recorded_at)),
    CONSTRAINT revocation_pkey PRIMARY KEY (issuer, serial)
);

-- For a push, which reads one shard and is in a hurry: the rows of a shard
-- lie side by side in the index, whole, where the table has them all over.
-- That is so once VACUUM has seen them, so it is to come before a tenth of the
-- table is new. All rows of an issuer are read by the table itself.
DROP INDEX IF EXISTS crlpress.revocation_issuer_shard_idx; -- what it was
CREATE INDEX IF NOT EXISTS revocation_shard_idx
    ON crlpress.revocation (issuer, shard, not_after)
    INCLUDE (serial, revoked_at, reason, recorded_at);

DO $$
BEGIN
    -- Since PostgreSQL 13.
    IF current_setting('server_version_num')::integer >= 130000 THEN
        ALTER TABLE crlpress.revocation
            SET (autovacuum_vacuum_insert_scale_factor = 0.02);
    END IF;
END
$$;

COMMENT ON TABLE crlpress.revocation IS
    'One row a revoked certificate. A row may be deleted only after its '
    'certificate has expired and stood on one more CRL (RFC 5280, 3.3); '
    'crlpress refuses to publish when one is gone earlier';
COMMENT ON COLUMN crlpress.revocation.issuer IS
    'The id of the issuer in its configuration file';
COMMENT ON COLUMN crlpress.revocation.serial IS
    'Serial number: 1 to 20 octets, most significant first, without leading '
    'zero octets, so that each serial has one spelling; above 0 and below '
    '2^159 (RFC 5280, 4.1.2.2)';
COMMENT ON COLUMN crlpress.revocation.revoked_at IS
    'When it was revoked: revocationDate (RFC 5280, 5.1.2.6), published in '
    'whole seconds, fractions cut off';
COMMENT ON COLUMN crlpress.revocation.reason IS
    'Why: 0 unspecified, 1 keyCompromise, 2 cACompromise, '
    '3 affiliationChanged, 4 superseded, 5 cessationOfOperation, '
    '6 certificateHold, 9 privilegeWithdrawn, 10 aACompromise '
    '(RFC 5280, 5.3.1)';
COMMENT ON COLUMN crlpress.revocation.not_after IS
    'When the certificate expires: its notAfter';
COMMENT ON COLUMN crlpress.revocation.shard IS
    'The shard whose URL stands in the certificate; NULL where the configured '
    'scheme computes it';
COMMENT ON COLUMN crlpress.revocation.recorded_at IS
    'When this row was written, as the beginning of its transaction: '
    'publication is owed within 24 hours of it, and crlpress names what took '
    'longer. With a row that is changed it may be set anew';
COMMENT ON CONSTRAINT revocation_issuer_check ON crlpress.revocation IS
    'An issuer has a name';
COMMENT ON CONSTRAINT revocation_serial_check ON crlpress.revocation IS
    '1 to 20 octets, no leading zero octet, below 2^159';
COMMENT ON CONSTRAINT revocation_revoked_at_check ON crlpress.revocation IS
    'Finite, and in the years 1950 to 9999 that a CRL can say';
COMMENT ON CONSTRAINT revocation_reason_check ON crlpress.revocation IS
    'A CRLReason that an entry of a complete CRL may have: not 7 (unused), '
    'not 8 (removeFromCRL)';
COMMENT ON CONSTRAINT revocation_not_after_check ON crlpress.revocation IS
    'Finite, and in the years 1950 to 9999 that a certificate can say';
COMMENT ON CONSTRAINT revocation_shard_check ON crlpress.revocation IS
    'Shards are numbered from 0 or 1';
COMMENT ON CONSTRAINT revocation_recorded_at_check ON crlpress.revocation IS
    'Finite';
COMMENT ON CONSTRAINT revocation_pkey ON crlpress.revocation IS
    'A serial is unique within its issuer (RFC 5280, 4.1.2.2)';
COMMENT ON INDEX crlpress.revocation_shard_idx IS
    'The rows of one shard, without a look into the table';

-- One revocation, for who has no right to read or change the table. There is
-- one change that a listed entry may see: its reason may become keyCompromise,
-- and then its date may move to the past (BR 7.2.2). Whatever else is asked
-- for, the row that stands is returned, and the caller told what it is:
--
--     recorded    it is new
--     same        it was there, and says the same
--     upgraded    it was there, and is now what was asked for
--     differs     it was there, and says something else; it still does
--     incomplete  it was not there, and not enough is known of it to insert it
--
-- Without a date (dated false) it is revoked now, or at p_revoked_at if the
-- caller's clock is behind, and a row that is there has the right date.
CREATE OR REPLACE FUNCTION crlpress.revoke(
    p_issuer text, p_serial bytea, p_complete boolean, p_dated boolean,
    p_revoked_at timestamptz, p_reason smallint, p_not_after timestamptz,
    p_shard integer,
    OUT outcome text, OUT revoked_at timestamptz, OUT reason smallint,
    OUT not_after timestamptz, OUT shard integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed bigint;
BEGIN
    IF p_issuer IS NULL OR p_serial IS NULL OR p_complete IS NULL
        OR p_dated IS NULL OR p_revoked_at IS NULL OR p_reason IS NULL THEN
        RAISE EXCEPTION 'revoke: only p_not_after and p_shard may be NULL'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    -- Again where somebody else was at the same row at the same time.
    LOOP
        SELECT r.revoked_at, r.reason, r.not_after, r.shard
            INTO revoked_at, reason, not_after, shard
            FROM crlpress.revocation AS r
            WHERE r.issuer = p_issuer AND r.serial = p_serial;
        IF NOT FOUND THEN
            revoked_at := CASE WHEN p_dated THEN p_revoked_at
                ELSE least(p_revoked_at, now()) END;
            reason := p_reason;
            not_after := p_not_after;
            shard := p_shard;
            outcome := 'incomplete';
            EXIT WHEN NOT p_complete;
            INSERT INTO crlpress.revocation
                (issuer, serial, revoked_at, reason, not_after, shard)
                VALUES (p_issuer, p_serial, revoke.revoked_at, p_reason,
                    p_not_after, p_shard)
                ON CONFLICT DO NOTHING;
            GET DIAGNOSTICS changed = ROW_COUNT;
            outcome := 'recorded';
            EXIT WHEN changed > 0;
            CONTINUE;
        END IF;
        outcome := 'differs';
        EXIT WHEN p_shard <> shard
            OR date_trunc('second', p_not_after) <>
                date_trunc('second', not_after);
        outcome := 'same';
        EXIT WHEN p_reason = reason AND (NOT p_dated
            OR date_trunc('second', p_revoked_at) =
                date_trunc('second', revoked_at));
        outcome := 'differs';
        EXIT WHEN p_reason <> 1 OR (p_dated AND p_revoked_at > revoked_at);
        UPDATE crlpress.revocation AS r
            SET reason = 1, recorded_at = now(),
                revoked_at = CASE WHEN p_dated THEN p_revoked_at
                    ELSE r.revoked_at END
            WHERE r.issuer = p_issuer AND r.serial = p_serial
                AND r.reason = revoke.reason
                AND r.revoked_at = revoke.revoked_at;
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed > 0 THEN
            outcome := 'upgraded';
            reason := 1;
            revoked_at := CASE WHEN p_dated THEN p_revoked_at
                ELSE revoked_at END;
            EXIT;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION crlpress.revoke(text, bytea, boolean, boolean,
    timestamptz, smallint, timestamptz, integer) IS
    'Records one revocation, or makes it keyCompromise; changes nothing else';
REVOKE ALL ON FUNCTION crlpress.revoke(text, bytea, boolean, boolean,
    timestamptz, smallint, timestamptz, integer) FROM PUBLIC;

-- Roles belong to the whole cluster: another database may have made them.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles
                   WHERE rolname = 'crlpress_reader') THEN
        CREATE ROLE crlpress_reader NOLOGIN;
        COMMENT ON ROLE crlpress_reader IS
            'Reads revoked certificates: for crlpress(1)';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles
                   WHERE rolname = 'crlpress_recorder') THEN
        CREATE ROLE crlpress_recorder NOLOGIN;
        COMMENT ON ROLE crlpress_recorder IS
            'Records revoked certificates: for the CA';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles
                   WHERE rolname = 'crlpress_revoker') THEN
        CREATE ROLE crlpress_revoker NOLOGIN;
        COMMENT ON ROLE crlpress_revoker IS
            'Records revoked certificates: for crlpress(1) revoke';
    END IF;
END
$$;

GRANT USAGE ON SCHEMA crlpress
    TO crlpress_reader, crlpress_recorder, crlpress_revoker;
GRANT SELECT ON crlpress.revocation TO crlpress_reader;
GRANT INSERT ON crlpress.revocation TO crlpress_recorder, crlpress_revoker;
GRANT EXECUTE ON FUNCTION crlpress.revoke(text, bytea, boolean, boolean,
    timestamptz, smallint, timestamptz, integer) TO crlpress_revoker;

COMMIT;
