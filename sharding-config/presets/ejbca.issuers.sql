-- SPDX-License-Identifier: ISC
--
-- EJBCA: for `crlpress init`, the issuers there are, with their revoked rows.
-- $1 is what is known of the issuer's certificate, as JSON. Where EJBCA spells
-- its subject in another way, this does not know it: --issuer-id then says which
-- one it is.
SELECT issuerDN AS issuer_id, sum(revoked)::bigint AS revoked,
    issuerDN = $1::json ->> 'subject' AS is_it
FROM (
    SELECT issuerDN, count(*) FILTER (WHERE status = 40) AS revoked
    FROM CertificateData
    GROUP BY issuerDN
    -- [ NoConflictCertificateData
    UNION ALL
    SELECT issuerDN, count(*) FILTER (WHERE status = 40)
    FROM NoConflictCertificateData
    GROUP BY issuerDN
    -- ] NoConflictCertificateData
    ) AS issuers
GROUP BY issuerDN;
