-- SPDX-License-Identifier: ISC
--
-- The table that crlpress reads when a CA has none of its own. To be run once
-- by a role that may create schemas and roles; running it again changes
-- nothing:
--
--     psql -v ON_ERROR_STOP=1 -f native.sql
--     psql -c 'GRANT crlpress_reader TO the_role_of_the_cron_job'
--     psql -c 'GRANT crlpress_recorder TO the_role_of_the_ca'
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

-- One index for both questions: all rows of an issuer that have not expired
-- too long ago, and those of one shard. An issuer's shards are few beside its
-- rows, so that not_after third costs the first question little.
CREATE INDEX IF NOT EXISTS revocation_issuer_shard_idx
    ON crlpress.revocation (issuer, shard, not_after);

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
COMMENT ON INDEX crlpress.revocation_issuer_shard_idx IS
    'An issuer''s rows by expiry, and the rows of one shard';

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
END
$$;

GRANT USAGE ON SCHEMA crlpress TO crlpress_reader, crlpress_recorder;
GRANT SELECT ON crlpress.revocation TO crlpress_reader;
GRANT INSERT ON crlpress.revocation TO crlpress_recorder;

COMMIT;
