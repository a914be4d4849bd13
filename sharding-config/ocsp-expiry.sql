-- SPDX-License-Identifier: ISC
--
-- For `crlpress ocsp-gate`, as [ocsp] query_file: when the last certificate
-- expires that carries an OCSP URL or Must-Staple. One row of one column,
-- timestamptz or seconds since 1970.
--
-- It has to know every certificate, revoked or not, of every issuer whose
-- certificates name the responder. crlpress.revocation has the revoked ones
-- alone, so the CA's own table is asked. Put its names in place of
--
--     certificate (not_after timestamptz, ocsp_url text, must_staple boolean)
--
-- and let the role read them:
--
--     GRANT SELECT (not_after, ocsp_url, must_staple) ON certificate
--         TO crlpress_reader;
--
-- Where the table does not say what a certificate carries, take all that were
-- issued before OCSP was left out of the profile, and those without a date:
--
--     WHERE issued_at IS NULL OR issued_at < '2026-05-07 00:00:00+00'
SELECT max(not_after)
FROM certificate
WHERE ocsp_url IS NOT NULL OR must_staple
