-- SPDX-License-Identifier: ISC
--
-- What crlpress may read of XiPKI's database, and no more: no certificate, no
-- name, no key (CERT has a column PRIVATE_KEY, CA has SIGNER_CONF). To be run
-- by the owner of the tables; again without harm.

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

GRANT SELECT (CA_ID, SN, REV, RR, RT, NAFTER, LUPDATE)
    ON CERT TO crlpress_reader;
GRANT SELECT (ID, NAME) ON CA TO crlpress_reader;
