package waldur

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// CertPoolWith returns the system's certificates and those in the PEM text. Text
// without a certificate, a damaged certificate, and any other PEM block are
// errors. Text between the certificates is ignored: bundles contain comments.
func CertPoolWith(pemText string) (*x509.CertPool, error) {
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
		found++
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("PEM block %d is of type %q, not CERTIFICATE", found, block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d is not a valid certificate", found)
		}
		pool.AddCert(certificate)
	}
	// pem.Decode skips blocks that it cannot read.
	damaged := strings.Count(pemText, "-----BEGIN ") != found || strings.Count(pemText, "-----END ") != found
	if found == 0 || damaged || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("the value contains text that is not a PEM certificate, or a damaged certificate")
	}
	return pool, nil
}
