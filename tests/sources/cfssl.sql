-- SPDX-License-Identifier: ISC
--
-- For tests: the table of CFSSL's certdb, with the names, types and indexes
-- that its migrations for PostgreSQL give it.

CREATE TABLE certificates (
    serial_number bytea NOT NULL,
    authority_key_identifier bytea NOT NULL,
    ca_label bytea,
    status bytea NOT NULL,
    reason int,
    created_at timestamptz,
    expiry timestamptz,
    revoked_at timestamptz,
    pem bytea NOT NULL,
    PRIMARY KEY (serial_number, authority_key_identifier)
);
CREATE INDEX certificates_created_at ON certificates (created_at);
CREATE INDEX certificates_revoked_at ON certificates (revoked_at);
ALTER TABLE certificates
    ADD COLUMN issued_at timestamptz,
    ADD COLUMN not_before timestamptz,
    ADD COLUMN metadata jsonb,
    ADD COLUMN sans jsonb,
    ADD COLUMN common_name text;
