-- SPDX-License-Identifier: ISC
--
-- For tests: the two tables of EJBCA CE that matter, with the names and types
-- that it gives them on PostgreSQL, and with its indexes.

CREATE TABLE CertificateData (
    fingerprint text NOT NULL PRIMARY KEY,
    base64Cert text,
    cAFingerprint text,
    certificateProfileId int4 NOT NULL,
    endEntityProfileId int4,
    crlPartitionIndex int4,
    expireDate int8 NOT NULL,
    issuerDN text NOT NULL,
    notBefore int8,
    revocationDate int8 NOT NULL,
    revocationReason int4 NOT NULL,
    rowProtection text,
    rowVersion int4 NOT NULL,
    serialNumber text NOT NULL,
    status int4 NOT NULL,
    subjectAltName text,
    subjectDN text NOT NULL,
    subjectKeyId text,
    tag text,
    type int4 NOT NULL,
    updateTime int8 NOT NULL,
    username text
);
CREATE UNIQUE INDEX certificatedata_idx12
    ON CertificateData (serialNumber, issuerDN);

CREATE TABLE NoConflictCertificateData (
    id text NOT NULL PRIMARY KEY,
    fingerprint text NOT NULL,
    base64Cert text,
    cAFingerprint text,
    certificateProfileId int4 NOT NULL,
    endEntityProfileId int4,
    crlPartitionIndex int4,
    expireDate int8 NOT NULL,
    issuerDN text NOT NULL,
    notBefore int8,
    revocationDate int8 NOT NULL,
    revocationReason int4 NOT NULL,
    rowProtection text,
    rowVersion int4 NOT NULL,
    serialNumber text NOT NULL,
    status int4 NOT NULL,
    subjectAltName text,
    subjectDN text NOT NULL,
    subjectKeyId text,
    tag text,
    type int4 NOT NULL,
    updateTime int8 NOT NULL,
    username text
);
