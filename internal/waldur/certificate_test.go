package waldur_test

import (
	"crypto/x509"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

func TestCertificatesAreAddedToTheSystemPool(t *testing.T) {
	t.Parallel()
	one, other := newAuthority(t).certificate, newAuthority(t).certificate
	onePEM, otherPEM := inPEM("CERTIFICATE", one.Raw), inPEM("CERTIFICATE", other.Raw)
	for name, given := range map[string]struct {
		text    string
		trusted []*x509.Certificate
	}{
		"one":                      {onePEM, []*x509.Certificate{one}},
		"two":                      {onePEM + otherPEM, []*x509.Certificate{one, other}},
		"without the last newline": {strings.TrimSpace(onePEM), []*x509.Certificate{one}},
		"Windows line ends":        {strings.ReplaceAll(onePEM, "\n", "\r\n"), []*x509.Certificate{one}},
		"comments between":         {"# one\n" + onePEM + "\n# other\n" + otherPEM, []*x509.Certificate{one, other}},
		"the same one twice":       {onePEM + onePEM, []*x509.Certificate{one}},
		"blank lines everywhere":   {"\n\n" + onePEM + "\n\n", []*x509.Certificate{one}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, err := waldur.CertPoolWith(given.text)
			if err != nil {
				t.Fatal(err)
			}
			want, err := x509.SystemCertPool()
			if err != nil {
				t.Fatal(err)
			}
			for _, certificate := range given.trusted {
				want.AddCert(certificate)
			}
			if !pool.Equal(want) {
				t.Error("the pool is not the system's with these certificates")
			}
		})
	}
}

func TestTextThatIsNotACertificateIsRejected(t *testing.T) {
	t.Parallel()
	valid := newAuthority(t).pem()
	for name, text := range map[string]string{
		"empty":                              "",
		"blank":                              " \n",
		"a path":                             "/etc/ssl/ca.pem",
		"base64 without its PEM lines":       "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
		"cut short":                          valid[:len(valid)/2],
		"its end cut off":                    strings.TrimSuffix(strings.TrimSpace(valid), "-----END CERTIFICATE-----"),
		"its beginning cut off":              strings.TrimPrefix(valid, "-----BEGIN CERTIFICATE-----"),
		"not a certificate":                  inPEM("CERTIFICATE", []byte("hello")),
		"a private key":                      inPEM("PRIVATE KEY", []byte("hello")),
		"a certificate and a private key":    valid + inPEM("PRIVATE KEY", []byte("hello")),
		"a damaged one before a valid one":   strings.Replace(valid, "M", "*", 1) + valid,
		"a damaged one after a valid one":    valid + strings.Replace(valid, "M", "*", 1),
		"a damaged one between":              valid + "-----BEGIN CERTIFICATE-----\nabc\n" + valid,
		"text after it":                      valid + "hello",
		"a valid one with shorter PEM lines": strings.ReplaceAll(valid, "-----", "----"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := waldur.CertPoolWith(text); err == nil {
				t.Error("the text is accepted")
			} else if strings.Contains(err.Error(), "aGVsbG8") {
				t.Errorf("the error has the content of the PEM block: %v", err)
			}
		})
	}
}
