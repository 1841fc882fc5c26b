package kafka

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

const hiddenPassword = "tops3cret"

func parsed(t *testing.T, uri string) (Config, error) {
	t.Helper()
	u, err := streamer.ParseURI(uri)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parse(u)
	if err == nil {
		err = c.complete()
	}
	return c, err
}

func TestAURISaysAllThatAConfigCan(t *testing.T) {
	got, err := parsed(t, "kafka://alice:"+hiddenPassword+"@a,b:1234,[::1]/orders?tls_ca=ca&tls_cert=cert&tls_key=key&sasl=scram-sha-512&compression=zstd"+
		"&acks=leader&isolation=uncommitted&instance_id=i&rack=r&session_timeout=10s&balancers=range,cooperative-sticky&shards=12&replicas=3&client_id=me&create=always")
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Brokers: []string{"a:9092", "b:1234", "[::1]:9092"}, ClientID: "me", CAFile: "ca", CertFile: "cert", KeyFile: "key", SASL: ScramSHA512,
		Username: "alice", Password: hiddenPassword, Compression: Zstd, Acks: LeaderOnly, Isolation: Uncommitted, InstanceID: "i", Rack: "r",
		SessionTimeout: 10 * time.Second, Balancers: []Balancer{Range, CooperativeSticky}, Create: streamer.CreateAlways, Shards: 12, Replicas: 3,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTheZeroConfigHasDefaults(t *testing.T) {
	c, err := parsed(t, "kafka://a/orders")
	if err != nil {
		t.Fatal(err)
	}
	want := Config{Brokers: []string{"a:9092"}, ClientID: "streamer", SessionTimeout: 45 * time.Second, Balancers: []Balancer{CooperativeSticky}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want %+v", c, want)
	}
	if tls, err := c.tlsConfig(); tls != nil || err != nil || c.mechanism() != nil {
		t.Errorf("TLS %v, %v or SASL without being asked for", tls, err)
	}
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	for _, query := range []string{
		"unknown=1", "tls=maybe", "tls=false&tls_ca=x", "tls_cert=x", "sasl=kerberos", "sasl=plain", "compression=brotli", "acks=2", "isolation=x",
		"session_timeout=0s", "session_timeout=10ms", "balancers=", "balancers=range,x", "shards=0", "shards=-1", "replicas=100000", "client_id=",
		"create=perhaps", "password_file=x", "sasl=oauth", "shards=1&shards=2",
	} {
		if _, err := parsed(t, "kafka://a/orders?"+query); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%s: %v", query, err)
		}
	}
	for _, c := range []Config{
		{}, {Brokers: []string{"a"}, Compression: 9}, {Brokers: []string{"a"}, Acks: 9}, {Brokers: []string{"a"}, Isolation: 9}, {Brokers: []string{"a"}, SASL: 9},
		{Brokers: []string{"a"}, Balancers: []Balancer{9}}, {Brokers: []string{"a"}, Create: 9}, {Brokers: []string{"a"}, Shards: -1},
		{Brokers: []string{"a"}, SessionTimeout: mostSession + 1},
		{Brokers: []string{"a"}, Username: "u", Password: "p", PasswordFile: "f"},
	} {
		if err := c.complete(); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestAPasswordIsNeverPrinted(t *testing.T) {
	c := Config{Brokers: []string{"a"}, Username: "u", Password: hiddenPassword}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("config", "config", c, "password", c.Password)
	text, _ := json.Marshal(c.Password)
	for _, s := range []string{
		fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%x %q %d %v", c.Password, c.Password, c.Password, &c), log.String(), string(text),
	} {
		if strings.Contains(s, hiddenPassword) || strings.Contains(s, fmt.Sprintf("%x", hiddenPassword)) {
			t.Errorf("it is in %s", s)
		}
	}
}

func TestNamesOfTopics(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "A.b_c-9": true, strings.Repeat("x", 249): true, "...": true,
		"": false, ".": false, "..": false, strings.Repeat("x", 250): false, "a b": false, "a/b": false, "ä": false, "a\x00": false, "a:b": false,
	} {
		if err := checkName(name); (err == nil) != ok || err != nil && !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzClaim(f *testing.F) {
	f.Add(claim{"owner", time.UnixMilli(1_700_000_000_000)}.String())
	f.Add("streamer/1 a")
	f.Add("somebody else's")
	f.Fuzz(func(t *testing.T, note string) {
		c, ok := parseClaim(note)
		if !ok {
			return
		}
		if again, ok := parseClaim(c.String()); !ok || again.owner != c.owner || !again.until.Equal(c.until) {
			t.Errorf("%q is %v, and that is %v", note, c, again)
		}
	})
}

// FuzzBatches: whatever a disk has, what is found is there, and holds the
// offset.
func FuzzBatches(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 15, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3}, int64(6))
	f.Add(batchOf(5, 8, 20), int64(6))
	f.Add(append(make([]byte, 100), batchOf(5, 8, 20)...), int64(3))
	f.Fuzz(func(t *testing.T, in []byte, offset int64) {
		found := behind(leftover(in, offset), offset)
		if found == nil {
			return
		}
		if e, ok := intact(found); !ok || e.last < offset || e.size > len(found) || !bytes.HasSuffix(in, found) {
			t.Errorf("behind %d is %+v", offset, e)
		}
	})
}

// batchOf is a batch with the right checksum and nothing sensible in it.
func batchOf(base, last int64, payload int) []byte {
	b := make([]byte, batchHeaderSize+payload)
	binary.BigEndian.PutUint64(b, uint64(base))
	binary.BigEndian.PutUint32(b[batchSizeAt:], uint32(len(b)-batchSizeEnd))
	b[batchMagicAt] = batchMagic
	binary.BigEndian.PutUint32(b[batchLastDeltaAt:], uint32(last-base))
	binary.BigEndian.PutUint32(b[batchSumAt:], crc32.Checksum(b[batchSummedAt:], castagnoli))
	return b
}

func TestOnlyABatchWhoseChecksumIsRightSaysWhereTheNextBegins(t *testing.T) {
	bad := batchOf(3, 4, 50)
	bad[batchLastDeltaAt] = 1
	in := slices.Concat(batchOf(0, 2, 10), bad, make([]byte, 77), batchOf(5, 6, 9), batchOf(7, 7, 9))
	rest := leftover(in, 3)
	if _, ok := intact(rest); ok || len(rest) >= len(in) {
		t.Errorf("%d of %d bytes are left, intact %v", len(rest), len(in), ok)
	}
	for offset, want := range map[int64]int64{3: 5, 5: 5, 6: 5, 7: 7} {
		if e, _ := intact(behind(rest, offset)); e.base != want {
			t.Errorf("behind %d is the batch at %d, want %d", offset, e.base, want)
		}
	}
	if found := behind(rest, 8); found != nil {
		t.Errorf("behind the last batch is %x", found)
	}
}

func TestTimesThatATopicDoesNotTake(t *testing.T) {
	l := limits{ahead: time.Hour, behind: 24 * time.Hour}
	for ahead, ok := range map[time.Duration]bool{0: true, 59 * time.Minute: true, 2 * time.Hour: false, -23 * time.Hour: true, -25 * time.Hour: false} {
		if err := l.checkTime(ahead); (err == nil) != ok {
			t.Errorf("%v: %v", ahead, err)
		}
	}
	for v, want := range map[string]time.Duration{"3600000": time.Hour, "9223372036854775807": 0, "-1": 0, "x": 0} {
		if got := window(v); got != want {
			t.Errorf("window(%s) is %v, want %v", v, got, want)
		}
	}
}
