package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// SASL is the mechanism with which the program authenticates.
type SASL uint8

// The mechanisms.
const (
	noSASL SASL = iota
	Plain       // the password itself: over TLS only
	ScramSHA256
	ScramSHA512
	SASLOAuth // OAUTHBEARER, a token
)

// OAuth returns a token. It is called at every authentication, by several
// goroutines.
type OAuth func(ctx context.Context) (oauth.Auth, error)

// completeSASL chooses the mechanism that the credentials are for.
func (c *Config) completeSASL() {
	switch {
	case c.SASL != noSASL:
	case c.OAuth != nil:
		c.SASL = SASLOAuth
	case c.Username != "":
		c.SASL = Plain
	}
}

func (c *Config) checkSASL() error {
	switch {
	case c.SASL > SASLOAuth:
		return fmt.Errorf("Config.SASL is %d: want Plain, ScramSHA256, ScramSHA512 or SASLOAuth", c.SASL)
	case c.Password != "" && c.PasswordFile != "":
		return errors.New("a password and a password_file: want one of them")
	case c.SASL == noSASL && (c.Password != "" || c.PasswordFile != ""):
		return errors.New("a password without a username: want both, or neither")
	case c.SASL == SASLOAuth && c.OAuth == nil && c.PasswordFile == "":
		return errors.New("sasl=oauth without a token: want password_file, the file that has it, or Config.OAuth")
	case c.SASL != noSASL && c.SASL != SASLOAuth && c.Username == "":
		return fmt.Errorf("sasl=%v without a username", c.SASL)
	case (c.CertFile == "") != (c.KeyFile == ""):
		return errors.New("tls_cert and tls_key belong together: one of them is missing")
	}
	return nil
}

// mechanism is the client's side of SASL, nil for none. The password is looked
// up at every authentication.
func (c *Config) mechanism() sasl.Mechanism {
	switch c.SASL {
	case Plain:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			password, err := c.password()
			return plain.Auth{User: c.Username, Pass: password}, err
		})
	case ScramSHA256:
		return scram.Sha256(c.scram)
	case ScramSHA512:
		return scram.Sha512(c.scram)
	case SASLOAuth:
		return oauth.Oauth(c.token)
	case noSASL:
	}
	return nil
}

func (c *Config) scram(context.Context) (scram.Auth, error) {
	password, err := c.password()
	return scram.Auth{User: c.Username, Pass: password}, err
}

func (c *Config) token(ctx context.Context) (oauth.Auth, error) {
	if c.OAuth != nil {
		return c.OAuth(ctx)
	}
	token, err := c.password()
	return oauth.Auth{Token: token}, err
}

// password is Config.Password or the first line of Config.PasswordFile.
func (c *Config) password() (string, error) {
	if c.PasswordFile == "" {
		return string(c.Password), nil
	}
	content, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("password_file: %w", err)
	}
	line, _, _ := strings.Cut(string(content), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// tlsConfig is what connections are wrapped with, nil for plain text. Files are
// read once: a certificate that is renewed needs a new Streamer.
func (c *Config) tlsConfig() (*tls.Config, error) {
	if c.TLS == nil && c.CAFile == "" && c.CertFile == "" {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLS != nil {
		t = c.TLS.Clone()
	}
	if c.CAFile != "" {
		roots, err := readRoots(c.CAFile)
		if err != nil {
			return nil, err
		}
		t.RootCAs = roots
	}
	if c.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, invalid(fmt.Errorf("tls_cert and tls_key: %w", err))
		}
		t.Certificates = append(t.Certificates, cert)
	}
	return t, nil
}

func readRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, invalid(fmt.Errorf("tls_ca: %w", err))
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, invalid(fmt.Errorf("tls_ca: %s has no PEM certificate", file))
	}
	return roots, nil
}
