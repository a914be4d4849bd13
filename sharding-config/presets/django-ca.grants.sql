-- SPDX-License-Identifier: ISC
--
-- What crlpress may read of django-ca's database, and no more: no certificate,
-- no name, no options of keys. To be run by the owner of the tables; again
-- without harm.

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

GRANT SELECT (ca_id, revoked, serial, revoked_date, revoked_reason, not_after)
    ON django_ca_certificate TO crlpress_reader;
GRANT SELECT (id, parent_id, revoked, serial, revoked_date, revoked_reason,
    not_after) ON django_ca_certificateauthority TO crlpress_reader;
