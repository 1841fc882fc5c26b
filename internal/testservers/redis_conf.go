package testservers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// prepare makes the server's directory, with its configuration in it. A server
// may rewrite that when its part in a cluster changes, so it is written once.
func (s *RedisServer) prepare() error {
	var err error
	if s.dir, err = os.MkdirTemp("", "streamer-redis-"); err != nil {
		return err
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	s.Certificates = s.options.certificates
	if s.options.TLS != Plain && s.Certificates == nil {
		if s.Certificates, err = makeCertificates(s.dir); err != nil {
			return err
		}
	}
	text := strings.Join(s.conf(), "\n") + "\n"
	return os.WriteFile(filepath.Join(s.dir, "redis.conf"), []byte(text), 0o600)
}

func (s *RedisServer) conf() []string {
	o := s.options
	lines := []string{"bind 127.0.0.1", `save ""`, "dir " + s.dir, "repl-diskless-sync-delay 0"}
	if o.sentinel {
		lines = []string{"bind 127.0.0.1", "dir " + s.dir}
	}
	if o.TLS == Plain {
		lines = append(lines, fmt.Sprint("port ", s.port))
	} else {
		lines = append(lines, s.tlsConf()...)
	}
	if o.AOF {
		lines = append(lines, "appendonly yes", "appendfsync always")
	}
	if o.Password != "" {
		lines = append(lines, "requirepass "+o.Password)
	}
	for _, user := range o.Users {
		lines = append(lines, "user "+user)
	}
	return append(lines, o.Config...)
}

func (s *RedisServer) tlsConf() []string {
	clients := "no"
	if s.options.TLS == Mutual {
		clients = "yes"
	}
	c := s.Certificates
	return []string{
		"port 0", fmt.Sprint("tls-port ", s.port), "tls-auth-clients " + clients,
		"tls-ca-cert-file " + c.CA, "tls-cert-file " + c.serverCert, "tls-key-file " + c.serverKey,
	}
}
