-- SPDX-License-Identifier: ISC
--
-- For tests: the table of certificates of OpenXPKI 3, with its names, types and
-- indexes on PostgreSQL.

CREATE TABLE certificate (
    pki_realm text,
    issuer_dn text,
    cert_key numeric(49,0) NOT NULL,
    issuer_identifier text NOT NULL,
    identifier text,
    subject text,
    status text,
    subject_key_identifier text,
    authority_key_identifier text,
    notbefore numeric(49,0),
    notafter numeric(49,0),
    revocation_time numeric(49,0),
    invalidity_time numeric(49,0),
    reason_code text,
    hold_instruction_code text,
    req_key numeric(49,0),
    public_key text,
    data text,
    role text,
    CONSTRAINT certificate_pkey PRIMARY KEY (issuer_identifier, cert_key)
);
CREATE INDEX cert_csr_serial_index ON certificate (req_key);
CREATE INDEX cert_identifier_index ON certificate (identifier);
CREATE INDEX cert_pki_realm_index ON certificate (pki_realm);
CREATE INDEX cert_realm_index ON certificate (pki_realm);
CREATE INDEX cert_status_index ON certificate (status);
CREATE INDEX cert_subject_index ON certificate (subject);
