package streamer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestNoWayOfPrintingAURIShowsASecret(t *testing.T) {
	u, err := ParseURI("redis://me:hunter2@h/x?password=hunter2&sasl_password=hunter2&Secret=hunter2&access_token=hunter2" +
		"&secret_access_key=hunter2&api_key=hunter2&tls_passphrase=hunter2&token=hunter2&passwd=hunter2&bound=hunter2")
	if err != nil {
		t.Fatal(err)
	}
	u.Hide("bound")

	printed := map[string]string{"String": u.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		printed[verb] = fmt.Sprintf(verb, u)
		printed[verb+" of a copy"] = fmt.Sprintf(verb, *u)
		printed[verb+" in a struct"] = fmt.Sprintf(verb, struct{ U *URI }{u})
		printed[verb+" of a copy in a struct"] = fmt.Sprintf(verb, struct{ U URI }{*u})
	}
	var text, js bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("", "uri", u, "copy", *u)
	slog.New(slog.NewJSONHandler(&js, nil)).Info("", "uri", u, "copy", *u)
	printed["slog text"], printed["slog JSON"] = text.String(), js.String()
	marshalled, err := json.Marshal([]any{u, *u})
	if err != nil {
		t.Fatal(err)
	}
	printed["JSON"] = string(marshalled)

	for how, s := range printed {
		if strings.Contains(s, "hunter2") {
			t.Errorf("%s shows a secret: %s", how, s)
		}
	}
	if want := "redis://me:xxxxx@h/x?"; !strings.HasPrefix(u.String(), want) {
		t.Errorf("got %s, want %s…", u, want)
	}
}

func TestOptionsThatNameFilesOrSettingsAreShown(t *testing.T) {
	const in = "kafka://h/x?group=g&password_file=/run/pw&tls_key=/etc/key.pem&username=me"
	u, err := ParseURI(in)
	if err != nil {
		t.Fatal(err)
	}
	if u.String() != in {
		t.Errorf("got %s, want %s", u, in)
	}
}
