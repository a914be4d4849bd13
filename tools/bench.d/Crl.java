// SPDX-License-Identifier: ISC

import java.io.BufferedReader;
import java.io.FileReader;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Date;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.CRLNumber;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * For tools/bench-others: a CRL by Bouncy Castle, as EJBCA and others make it.
 * usage: Crl CERTIFICATE KEY ROWS CRL; ROWS has a line an entry: serial in hex,
 * seconds since 1970, reason.
 */
public final class Crl {
	private Crl() {
	}

	private static PrivateKey key(String path) throws Exception {
		try (PEMParser parser = new PEMParser(new FileReader(path))) {
			return new JcaPEMKeyConverter().getPrivateKey(
			    (PrivateKeyInfo) parser.readObject());
		}
	}

	private static void entries(X509v2CRLBuilder builder, String path)
	    throws Exception {
		try (BufferedReader lines = Files.newBufferedReader(
		    Path.of(path))) {
			String line;
			while ((line = lines.readLine()) != null) {
				String[] field = line.split(" ");
				builder.addCRLEntry(
				    new BigInteger(field[0], 16),
				    new Date(1000 * Long.parseLong(field[1])),
				    Integer.parseInt(field[2]));
			}
		}
	}

	public static void main(String[] argument) throws Exception {
		X509Certificate issuer;
		try (var stream = Files.newInputStream(Path.of(argument[0]))) {
			issuer = (X509Certificate) CertificateFactory
			    .getInstance("X.509").generateCertificate(stream);
		}
		Date now = new Date();
		X509v2CRLBuilder builder = new JcaX509v2CRLBuilder(issuer, now);
		builder.setNextUpdate(
		    new Date(now.getTime() + (9 * 86400L - 1) * 1000));
		builder.addExtension(Extension.authorityKeyIdentifier, false,
		    new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(
		        issuer.getPublicKey()));
		builder.addExtension(Extension.cRLNumber, false,
		    new CRLNumber(BigInteger.valueOf(now.getTime() / 1000)));
		entries(builder, argument[2]);
		Files.write(Path.of(argument[3]), builder.build(
		    new JcaContentSignerBuilder("SHA256withECDSA")
		        .build(key(argument[1]))).getEncoded());
	}
}
