-- SPDX-License-Identifier: ISC
--
-- OpenXPKI: its table certificate. Written for config/sql/schema-psql.sql of
-- version 3, in which the table itself has revocation_time and reason_code.
--
-- issuer_id        issuer_identifier; or several of them with blanks between:
--                  SELECT DISTINCT issuer_identifier FROM certificate;
-- serial_encoding  decimal
-- scheme           serial-mod with count = 1: one CRL, as OpenXPKI has it
-- reads            the revoked rows of one issuer
--
-- What to know:
-- * issuer_identifier is one of the issuer's certificate, not of its name or
--   key. A CA whose certificate was renewed has several; all that share name
--   and key belong on one CRL.
-- * CRL_ISSUANCE_PENDING is revoked, and waits for OpenXPKI's own next CRL, on
--   which it becomes REVOKED. HOLD is revoked as well.
-- * cert_key is a numeric, above any integer: its text is read.
-- * revocation_time may be NULL; OpenXPKI's CRL then says 1970. Here it is a
--   fault, as is a row without a reason, which OpenXPKI lists without its time.
-- * Reasons are words. One that is not known is -1, a fault, and not 0; so is a
--   HOLD with any other reason than certificateHold.
-- * removeFromCRL is what a certificate has that is to be released from HOLD,
--   until OpenXPKI has issued a CRL: a fault until then.
-- * The realm is not asked for: a certificate of this issuer that another realm
--   keeps is revoked nevertheless.
-- * Times are numeric seconds; whatever cannot be one is NULL.
SELECT
    cert_key::text AS serial,
    CASE WHEN revocation_time > 0 AND revocation_time < 1e15
        THEN floor(revocation_time)::bigint END AS revoked_at,
    CASE
        WHEN status = 'HOLD' AND reason_code IS NULL THEN 6
        WHEN status = 'HOLD' AND lower(reason_code) <> 'certificatehold'
            THEN -1
        WHEN reason_code IS NULL THEN NULL
        ELSE CASE lower(reason_code)
            WHEN 'unspecified' THEN 0
            WHEN 'keycompromise' THEN 1
            WHEN 'cacompromise' THEN 2
            WHEN 'affiliationchanged' THEN 3
            WHEN 'superseded' THEN 4
            WHEN 'cessationofoperation' THEN 5
            WHEN 'certificatehold' THEN 6
            WHEN 'removefromcrl' THEN 8
            WHEN 'privilegewithdrawn' THEN 9
            WHEN 'aacompromise' THEN 10
            ELSE -1 END
    END AS reason,
    CASE WHEN notafter > 0 AND notafter < 1e15
        THEN floor(notafter)::bigint END AS not_after,
    NULL::integer AS shard
FROM certificate
WHERE issuer_identifier = ANY (string_to_array(:'issuer', ' '))
    AND status IN ('REVOKED', 'CRL_ISSUANCE_PENDING', 'HOLD')
    AND (notafter IS NULL OR notafter <= 0
        OR notafter >= extract(epoch FROM :'lookback'::timestamptz));
