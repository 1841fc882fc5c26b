package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

const (
	scheme       = "redis"
	secureScheme = "rediss"

	// passwordVariable is where redis-cli looks for a password.
	passwordVariable = "REDISCLI_AUTH"
)

// parse reads a URI. The files it names are read now.
func parse(u *streamer.URI) (Config, error) {
	var s settings
	if err := driver.Bind(u, &s, options); err != nil {
		return s.Config, err
	}
	if len(u.Streams) == 1 && isNumber(u.Streams[0]) {
		return s.Config, invalid(fmt.Errorf("stream %q is a number: a database is chosen with db=%s", u.Streams[0], u.Streams[0]))
	}
	s.Addrs = u.Hosts
	if err := s.authenticate(u); err != nil {
		return s.Config, invalid(err)
	}
	if err := s.secure(u.Scheme == secureScheme); err != nil {
		return s.Config, invalid(err)
	}
	return s.Config, nil
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// authenticate finds user and password: in the URI, a file, the environment.
func (s *settings) authenticate(u *streamer.URI) error {
	inURI := false
	if u.User != nil {
		if name := u.User.Username(); name != "" && s.Username != "" {
			return errors.New("the user is in the URI and in username=: want one of them")
		} else if name != "" {
			s.Username = name
		}
		var password string
		password, inURI = u.User.Password()
		s.Password = streamer.Secret(password)
	}
	if s.passwordFile == "" {
		if !inURI {
			s.Password = streamer.Secret(os.Getenv(passwordVariable))
		}
		return nil
	}
	if inURI {
		return errors.New("the password is in the URI and in password_file=: want one of them")
	}
	content, err := os.ReadFile(s.passwordFile)
	if err != nil {
		return fmt.Errorf("password_file: %w", err)
	}
	line, _, _ := strings.Cut(string(content), "\n")
	s.Password = streamer.Secret(strings.TrimSuffix(line, "\r"))
	return nil
}

// secure reads the files of tls_ca, tls_cert and tls_key.
func (s *settings) secure(wanted bool) error {
	if !wanted {
		if s.ca+s.cert+s.key+s.serverName != "" {
			return errors.New("tls_ca, tls_cert, tls_key and tls_server_name are for rediss://")
		}
		return nil
	}
	s.TLS = &tls.Config{ServerName: s.serverName, MinVersion: tls.VersionTLS12}
	if s.ca != "" {
		pem, err := os.ReadFile(s.ca)
		if err != nil {
			return fmt.Errorf("tls_ca: %w", err)
		}
		s.TLS.RootCAs = x509.NewCertPool()
		if !s.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("tls_ca: %s has no certificate in PEM", s.ca)
		}
	}
	if s.cert == "" && s.key == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return fmt.Errorf("tls_cert and tls_key: %w", err)
	}
	s.TLS.Certificates = []tls.Certificate{pair}
	return nil
}
