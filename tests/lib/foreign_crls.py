# SPDX-License-Identifier: ISC
#
# CRLs of Python cryptography, in DER, in the current directory:
#   many          python.der, of a hundred thousand entries
#   wrong         right*.der, and RULE_N.der with one thing wrong, by that rule
# usage: /usr/bin/python3 foreign_crls.py many|wrong CA-DIRECTORY

import datetime
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

URL = "http://crl.example.com/f.crl"
DATE = datetime.datetime(2026, 1, 1)
NOW = datetime.datetime.utcnow().replace(microsecond=0)
DAY = datetime.timedelta(days=1)
FLAGS = x509.ReasonFlags
UNKNOWN = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")

what, ca = sys.argv[1:]
with open(ca + "/issuer.key", "rb") as f:
    key = serialization.load_pem_private_key(f.read(), None)
with open(ca + "/issuer.pem", "rb") as f:
    cert = x509.load_pem_x509_certificate(f.read())
ski = cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
AKI = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)


def idp(url=URL, user=True, cas=False, reasons=None):
    return x509.IssuingDistributionPoint(
        [x509.UniformResourceIdentifier(url)], None, user, cas, reasons,
        False, False)


def entry(serial, when=DATE, extension=None, critical=False):
    made = x509.RevokedCertificateBuilder().serial_number(serial)
    made = made.revocation_date(when)
    if extension:
        made = made.add_extension(extension, critical)
    return made.build()


def reason(flag, critical=False):
    return [entry(5, DATE, x509.CRLReason(flag), critical)]


def crl(name, entries=(), this=NOW - DAY, until=NOW + 6 * DAY, **other):
    """Extensions are pairs: the extension, whether it is critical."""
    extensions = {
        "number": (x509.CRLNumber(17), False),
        "aki": (AKI, False),
        "idp": (idp(), True),
        "more": None,
    }
    extensions.update(other)
    made = x509.CertificateRevocationListBuilder(
        cert.subject, this, until,
        [x509.Extension(e[0].oid, e[1], e[0])
            for e in extensions.values() if e], list(entries))
    with open(name + ".der", "wb") as file:
        file.write(made.sign(key, hashes.SHA256()).public_bytes(
            serialization.Encoding.DER))


def many():
    crl("python", [entry(i * 7919 + (1 << 120)) for i in range(100000)])


def wrong_extensions():
    crl("number_1", number=None)
    crl("number_2", number=(x509.CRLNumber(1), True))
    crl("number_3", number=(x509.CRLNumber(2 ** 159), False))
    crl("aki_1", aki=None)
    crl("aki_2", aki=(AKI, True))
    crl("aki_3", aki=(
        x509.AuthorityKeyIdentifier(b"x" * 20, None, None), False))
    crl("aki_4", aki=(x509.AuthorityKeyIdentifier(
        ski.digest, [x509.DirectoryName(cert.issuer)], cert.serial_number),
        False))
    crl("idp_1", idp=None)
    crl("idp_2", idp=(idp(), False))
    crl("idp_3", idp=(idp(user=False), True))
    crl("idp_4", idp=(idp(user=False, cas=True), True))
    crl("idp_5", idp=(idp("ldap://x/y"), True))
    crl("idp_6", idp=(idp(reasons=frozenset([FLAGS.key_compromise])), True))
    crl("extensions_1", more=(x509.DeltaCRLIndicator(3), True))
    crl("extensions_2", more=(UNKNOWN, True))


def wrong_times():
    crl("next-update_1", until=NOW + 10 * DAY)
    crl("next-update_2", until=NOW - DAY + 10 * DAY)
    crl("not-future_1", this=NOW + DAY)
    crl("fresh_1", this=NOW - 9 * DAY, until=NOW - DAY)


def wrong_entries():
    crl("serial-unique_1", [entry(5), entry(5)])
    crl("revoked-at_1", [entry(5, NOW)])
    crl("reason_1", reason(FLAGS.unspecified))
    crl("reason_2", reason(FLAGS.ca_compromise))
    crl("reason_3", reason(FLAGS.certificate_hold))
    crl("reason_4", reason(FLAGS.remove_from_crl))
    crl("reason_5", reason(FLAGS.aa_compromise))
    crl("reason_6", reason(FLAGS.superseded, True))
    crl("entry-ext_1", [entry(5, DATE, x509.CertificateIssuer(
        [x509.DirectoryName(cert.subject)]), True)])
    crl("entry-ext_2", [entry(5, DATE, UNKNOWN, True)])


if what == "many":
    many()
else:
    crl("right_1", [entry(1)] + reason(FLAGS.superseded))
    crl("right_2", [entry(2), entry(2 ** 158 - 1)])
    wrong_extensions()
    wrong_times()
    wrong_entries()
