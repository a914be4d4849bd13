// SPDX-License-Identifier: ISC

// For tools/bench-others: a CRL by Go's x509.CreateRevocationList.
//
// usage: crl CERTIFICATE KEY ROWS CRL
//
// ROWS has a line an entry: serial in hex, seconds since 1970, reason.
package main

import (
	"bufio"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"os"
	"time"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// block is what the first PEM block of a file holds.
func block(path string) []byte {
	found, _ := pem.Decode(must(os.ReadFile(path)))
	if found == nil {
		log.Fatal(path, ": no PEM")
	}
	return found.Bytes
}

// RFC 5280, 5.3.1: the reason 0 is said by saying nothing.
func extensions(reason int) []pkix.Extension {
	if reason == 0 {
		return nil
	}
	return []pkix.Extension{{
		Id:    asn1.ObjectIdentifier{2, 5, 29, 21},
		Value: must(asn1.Marshal(asn1.Enumerated(reason))),
	}}
}

func entries(path string) []pkix.RevokedCertificate {
	var list []pkix.RevokedCertificate
	lines := bufio.NewScanner(must(os.Open(path)))
	for lines.Scan() {
		var hex string
		var sec int64
		var reason int
		must(fmt.Sscan(lines.Text(), &hex, &sec, &reason))
		serial, ok := new(big.Int).SetString(hex, 16)
		if !ok {
			log.Fatal(hex)
		}
		list = append(list, pkix.RevokedCertificate{
			SerialNumber:   serial,
			RevocationTime: time.Unix(sec, 0),
			Extensions:     extensions(reason),
		})
	}
	if lines.Err() != nil {
		log.Fatal(lines.Err())
	}
	return list
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: crl CERTIFICATE KEY ROWS CRL")
	}
	issuer := must(x509.ParseCertificate(block(os.Args[1])))
	key := must(x509.ParsePKCS8PrivateKey(block(os.Args[2])))
	now := time.Now()
	template := &x509.RevocationList{
		RevokedCertificates: entries(os.Args[3]),
		Number:              big.NewInt(now.Unix()),
		ThisUpdate:          now,
		NextUpdate:          now.Add(9*24*time.Hour - time.Second),
	}
	der := must(x509.CreateRevocationList(
		rand.Reader, template, issuer, key.(crypto.Signer)))
	if err := os.WriteFile(os.Args[4], der, 0o644); err != nil {
		log.Fatal(err)
	}
}
