package streamer

import (
	"slices"
	"strings"
)

// hidden is printed instead of a secret.
const hidden = "xxxxx"

// Hide makes String print "xxxxx" for the values of these options. It must not
// be called concurrently with other methods.
func (u *URI) Hide(keys ...string) {
	for _, key := range keys {
		if !slices.Contains(u.secrets, key) {
			u.secrets = append(u.secrets, key)
		}
	}
}

// Hides says whether String hides the value of an option: Hide named it, or its
// name sounds secret.
func (u *URI) Hides(key string) bool {
	return slices.Contains(u.secrets, key) || soundsSecret(key)
}

// soundsSecret errs on the side of hiding: a hidden option is an inconvenience,
// a printed secret an incident. Names of files are shown.
func soundsSecret(key string) bool {
	key = strings.ToLower(key)
	if strings.HasSuffix(key, "_file") || strings.HasSuffix(key, "_path") {
		return false
	}
	switch key {
	case "pass", "pw", "pwd", "auth", "key", "sig":
		return true
	}
	for _, word := range [...]string{"passw", "passphrase", "secret", "token", "credential", "signature"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	for _, word := range [...]string{"api", "access", "account", "private", "shared", "sas"} {
		if strings.Contains(key, word) && strings.HasSuffix(key, "key") {
			return true
		}
	}
	return false
}
