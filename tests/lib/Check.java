/* SPDX-License-Identifier: ISC */
/*
 * java Check CA CERTIFICATE [soft]: whether Java's PKIX holds the certificate
 * for valid by OCSP alone; with "soft" by SOFT_FAIL.
 */
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

class Check {
	static CertificateFactory factory() throws Exception {
		return CertificateFactory.getInstance("X.509");
	}

	static X509Certificate read(String name) throws Exception {
		try (InputStream in = new FileInputStream(name)) {
			return (X509Certificate)
			    factory().generateCertificate(in);
		}
	}

	public static void main(String[] args) throws Exception {
		CertPathValidator validator =
		    CertPathValidator.getInstance("PKIX");
		PKIXRevocationChecker checker = (PKIXRevocationChecker)
		    validator.getRevocationChecker();
		Set<Option> options = EnumSet.of(Option.NO_FALLBACK);
		if (args.length > 2)
			options.add(Option.SOFT_FAIL);
		checker.setOptions(options);
		PKIXParameters parameters = new PKIXParameters(
		    Collections.singleton(
			new TrustAnchor(read(args[0]), null)));
		parameters.addCertPathChecker(checker);
		CertPath path =
		    factory().generateCertPath(List.of(read(args[1])));
		try {
			validator.validate(path, parameters);
			System.out.println("valid");
		} catch (CertPathValidatorException e) {
			System.out.println("refused " + e.getMessage());
		}
	}
}
