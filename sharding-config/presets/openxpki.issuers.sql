-- SPDX-License-Identifier: ISC
--
-- OpenXPKI: for `crlpress init`, the issuers there are, with their revoked
-- rows. $1 is what is known of the issuer's certificate, as JSON: the
-- identifier is its SHA-1 in base64url. Of another one it cannot be told whether
-- it is of an older certificate of the same CA: those have to be added by hand.
SELECT issuer_id, sum(revoked)::bigint AS revoked,
    CASE WHEN issuer_id = its_id THEN true END AS is_it
FROM (SELECT translate(rtrim(encode(decode($1::json ->> 'sha1', 'hex'),
        'base64'), '='), '+/', '-_') AS its_id) AS its
CROSS JOIN LATERAL (
    SELECT issuer_identifier AS issuer_id, 1 AS revoked
    FROM certificate
    WHERE status IN ('REVOKED', 'CRL_ISSUANCE_PENDING', 'HOLD')
    UNION ALL
    SELECT its_id, 0) AS issuers
GROUP BY issuer_id, its_id;
