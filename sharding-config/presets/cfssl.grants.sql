-- SPDX-License-Identifier: ISC
--
-- What crlpress may read of CFSSL's certdb, and no more: no certificate. To be
-- run by the owner of the table; again without harm.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles
                   WHERE rolname = 'crlpress_reader') THEN
        CREATE ROLE crlpress_reader NOLOGIN;
        COMMENT ON ROLE crlpress_reader IS
            'Reads revoked certificates: for crlpress(1)';
    END IF;
END
$$;

GRANT SELECT (serial_number, authority_key_identifier, status, reason,
    revoked_at, expiry) ON certificates TO crlpress_reader;
