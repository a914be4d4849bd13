-- SPDX-License-Identifier: ISC
--
-- What crlpress may read of step-ca's database, and no more: one table. To be
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

GRANT SELECT (nkey, nvalue) ON revoked_x509_certs TO crlpress_reader;
