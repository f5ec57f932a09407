package waldur_test

import (
	"crypto/x509"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

func TestCertificatesAreTrustedBesideTheSystems(t *testing.T) {
	t.Parallel()
	one, other := newAuthority(t).certificate, newAuthority(t).certificate
	onePEM, otherPEM := inPEM("CERTIFICATE", one.Raw), inPEM("CERTIFICATE", other.Raw)
	for name, given := range map[string]struct {
		text    string
		trusted []*x509.Certificate
	}{
		"one":                    {onePEM, []*x509.Certificate{one}},
		"two":                    {onePEM + otherPEM, []*x509.Certificate{one, other}},
		"without last newline":   {strings.TrimSpace(onePEM), []*x509.Certificate{one}},
		"Windows line ends":      {strings.ReplaceAll(onePEM, "\n", "\r\n"), []*x509.Certificate{one}},
		"comments between":       {"# one\n" + onePEM + "\n# other\n" + otherPEM, []*x509.Certificate{one, other}},
		"the same one twice":     {onePEM + onePEM, []*x509.Certificate{one}},
		"blank lines everywhere": {"\n\n" + onePEM + "\n\n", []*x509.Certificate{one}},
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
				t.Error("others are trusted than the system's and these")
			}
		})
	}
}

func TestTextThatIsNoCertificateIsRefused(t *testing.T) {
	t.Parallel()
	whole := newAuthority(t).pem()
	for name, text := range map[string]string{
		"empty":                              "",
		"blank":                              " \n",
		"a path":                             "/etc/ssl/ca.pem",
		"base64 without its frame":           "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
		"cut short":                          whole[:len(whole)/2],
		"its end cut off":                    strings.TrimSuffix(strings.TrimSpace(whole), "-----END CERTIFICATE-----"),
		"its beginning cut off":              strings.TrimPrefix(whole, "-----BEGIN CERTIFICATE-----"),
		"no certificate in it":               inPEM("CERTIFICATE", []byte("hello")),
		"a private key":                      inPEM("PRIVATE KEY", []byte("hello")),
		"a certificate and a private key":    whole + inPEM("PRIVATE KEY", []byte("hello")),
		"a damaged one before a whole one":   strings.Replace(whole, "M", "*", 1) + whole,
		"a damaged one after a whole one":    whole + strings.Replace(whole, "M", "*", 1),
		"a damaged one between":              whole + "-----BEGIN CERTIFICATE-----\nabc\n" + whole,
		"text after it":                      whole + "hello",
		"a whole one, its frame written off": strings.ReplaceAll(whole, "-----", "----"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := waldur.CertPoolWith(text); err == nil {
				t.Error("was accepted")
			} else if strings.Contains(err.Error(), "aGVsbG8") {
				t.Errorf("shows what may be a key: %v", err)
			}
		})
	}
}
