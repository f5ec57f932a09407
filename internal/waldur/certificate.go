package waldur

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// TrustAlso gives the system's certificates and those in the PEM text. A text
// that holds no certificate, or anything that is none, is an error.
func TrustAlso(pemText string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("the system's certificates cannot be read: %w", err)
	}
	found := 0
	rest := []byte(pemText)
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("PEM block %d is a %q, not a CERTIFICATE", found+1, block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d is not a valid certificate", found+1)
		}
		pool.AddCert(certificate)
		found++
	}
	if found == 0 || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("it holds text that is not a PEM certificate. " +
			"Write the certificate itself, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----; file(\"ca.pem\") reads it from a file")
	}
	return pool, nil
}
