package conformance

import (
	"fmt"
	"strings"

	"github.com/gostreamer/streamer"
)

func secretCases() []testCase {
	return []testCase{{name: "no-secret-is-shown", needs: []Part{Secrets}, run: noSecretShown}}
}

// hidden fails when a text has the secret, plain or as it looks in a URI.
func (b *bed) hidden(what, text, secret string) {
	b.Helper()
	for _, form := range []string{secret, strings.ReplaceAll(secret, "/", "%2F")} {
		if form != "" && strings.Contains(text, form) {
			b.Errorf("%s shows the secret: %s", what, text)
		}
	}
}

// noSecretShown connects with a password to where there is nothing, and with an
// option that does not exist beside it.
func noSecretShown(b *bed) {
	const secret = "hunter/2-tr0ub4dor"
	if b.SecretURI == nil {
		b.Fatalf("harness %q has no SecretURI and does not say that it is without secrets", b.Harness.Name)
	}
	b.open(Plan{})
	uri := b.SecretURI(secret)
	parsed, err := streamer.ParseURI(uri)
	b.must("ParseURI", err)
	for _, verb := range []string{"%v", "%+v", "%s"} {
		b.hidden("a printed URI, "+verb, fmt.Sprintf(verb, parsed), secret)
	}
	for _, uri := range []string{uri, uri + "&nonsense=1", uri + "&max_in_flight=many", strings.Replace(uri, "://", ":/", 1)} {
		ctx, cancel := b.limit()
		s, err := streamer.ConnectWith(ctx, uri, b.options())
		cancel()
		if err == nil {
			b.hidden("a printed Streamer", fmt.Sprintf("%v %+v", s, s), secret)
			b.finish("Streamer.Close", s.Close)
			continue
		}
		b.hidden("an error of Connect", fmt.Sprintf("%v %+v %#v", err, err, err), secret)
	}
	b.hidden("a log line", b.seen.log(), secret)
}
