-- SPDX-License-Identifier: ISC
--
-- What crlpress may read of OpenXPKI's database, and no more: no certificate,
-- no name. To be run by the owner of the table; again without harm.

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

GRANT SELECT (cert_key, issuer_identifier, status, revocation_time,
    reason_code, notafter) ON certificate TO crlpress_reader;
