-- SPDX-License-Identifier: ISC
--
-- django-ca: its tables django_ca_certificate and
-- django_ca_certificateauthority. Written for 2.x since the migration 0046; in
-- versions before that the column not_after was called expires.
--
-- issuer_id        the serial of the CA, as django-ca has it, without colons;
--                  or several of them with blanks between
-- serial_encoding  hex
-- scheme           serial-mod with count = 1: one CRL
-- reads            the revoked certificates of one CA, and its revoked CAs
--
-- What to know:
-- * Serials are upper case hex without leading zeros, so that their length may
--   be odd.
-- * A CA that was renewed with its key is another row; all that share name and
--   key belong on one CRL.
-- * Reasons are words. One that is not known is -1, a fault, and not 0; so is
--   the empty one, which old versions wrote when none was given. Where
--   those are meant to be listed, add: WHEN '' THEN 0.
-- * revoked without revoked_date is a fault.
-- * Certificates of CAs that this CA has issued stand in the other table, and
--   are listed too. Where they have a CRL of their own (profile tls-ca), two
--   configurations read copies of this file, one with each part of the UNION.
-- * `updated` is when anything of the row was saved, and is not read.
SELECT
    serial,
    revoked_date AS revoked_at,
    CASE revoked_reason
        WHEN 'unspecified' THEN 0
        WHEN 'key_compromise' THEN 1
        WHEN 'ca_compromise' THEN 2
        WHEN 'affiliation_changed' THEN 3
        WHEN 'superseded' THEN 4
        WHEN 'cessation_of_operation' THEN 5
        WHEN 'certificate_hold' THEN 6
        WHEN 'remove_from_crl' THEN 8
        WHEN 'privilege_withdrawn' THEN 9
        WHEN 'aa_compromise' THEN 10
        ELSE -1 END AS reason,
    not_after,
    NULL::integer AS shard
FROM (
    SELECT ca_id, revoked, serial, revoked_date, revoked_reason, not_after
    FROM django_ca_certificate
    UNION ALL
    SELECT parent_id, revoked, serial, revoked_date, revoked_reason, not_after
    FROM django_ca_certificateauthority) AS issued
WHERE revoked
    AND ca_id IN (SELECT id FROM django_ca_certificateauthority
        WHERE serial = ANY (string_to_array(upper(:'issuer'), ' ')))
    AND (not_after < '1950-01-01 00:00:00Z' OR not_after >= :'lookback');
