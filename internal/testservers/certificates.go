package testservers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// TLS is how a server secures its connections.
type TLS uint8

const (
	Plain      TLS = iota // not at all
	ServerOnly            // the server shows a certificate
	Mutual                // and so must the client
)

// Certificates are the files that a client of a server with TLS needs. The
// server's certificate is for 127.0.0.1 and localhost.
type Certificates struct {
	CA        string // the certificate that signed the others
	Cert, Key string // the client's

	serverCert, serverKey string
	serverPair            string // both in one file, the key first
	config                *tls.Config
}

// client is the configuration of this package's own connections; nil without
// TLS.
func (c *Certificates) client() *tls.Config {
	if c == nil {
		return nil
	}
	return c.config
}

// makeCertificates makes an authority, and with it a certificate for a server
// and one for a client.
func makeCertificates(dir string) (*Certificates, error) {
	path := func(name string) string { return filepath.Join(dir, name+".pem") }
	c := &Certificates{
		CA: path("ca"), Cert: path("client"), Key: path("client-key"),
		serverCert: path("server"), serverKey: path("server-key"), serverPair: path("server-pair"),
	}
	ca, err := issue(nil, "streamer test authority", c.CA, path("ca-key"))
	if err != nil {
		return nil, err
	}
	if _, err := issue(ca, "localhost", c.serverCert, c.serverKey); err != nil {
		return nil, err
	}
	if err := concatenate(c.serverPair, c.serverKey, c.serverCert); err != nil {
		return nil, err
	}
	client, err := issue(ca, "client", c.Cert, c.Key)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.Leaf)
	c.config = &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", Certificates: []tls.Certificate{*client}}
	return c, nil
}

// issue makes a certificate and writes it and its key to files. Without an
// issuer it signs itself.
func issue(issuer *tls.Certificate, name, certFile, keyFile string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := template(name, issuer == nil)
	parent, signer := template, any(key)
	if issuer != nil {
		parent, signer = issuer.Leaf, issuer.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := writePEM(certFile, "CERTIFICATE", der); err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, writePEM(keyFile, "PRIVATE KEY", secret)
}

func template(name string, authority bool) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if authority {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		c.DNSNames, c.IPAddresses, c.ExtKeyUsage = nil, nil, nil
	}
	return c
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func concatenate(to string, from ...string) error {
	var text []byte
	for _, name := range from {
		part, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		text = append(text, part...)
	}
	return os.WriteFile(to, text, 0o600)
}
