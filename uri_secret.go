package streamer

import (
	"slices"
	"strings"
)

// hidden stands in place of a secret.
const hidden = "xxxxx"

func (u *URI) isSecret(key string) bool {
	return slices.Contains(u.secrets, key) || soundsSecret(key)
}

// soundsSecret errs on the side of hiding: a hidden option is an inconvenience, a printed one an incident. Only names of files are shown.
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
