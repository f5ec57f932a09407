package waldur

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// TrustAlso gives the system's certificates and those in the PEM text. A text
// that holds no certificate, a damaged one, or anything else in PEM form is an
// error. What stands between certificates is ignored: bundles have comments
// there.
func TrustAlso(pemText string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("The system's certificates cannot be read: %w", err)
	}
	found := 0
	rest := []byte(pemText)
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		found++
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("Its PEM block %d is no CERTIFICATE but: %q.", found, block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("Its PEM block %d is not a valid certificate.", found)
		}
		pool.AddCert(certificate)
	}
	// pem.Decode passes over a block that it cannot read.
	damaged := strings.Count(pemText, "-----BEGIN ") != found || strings.Count(pemText, "-----END ") != found
	if found == 0 || damaged || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("It holds text that is not a PEM certificate, or a damaged one. " +
			"Write each certificate whole, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----; file(\"ca.pem\") reads them from a file.")
	}
	return pool, nil
}
