package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/ndjson"
	"github.com/gostreamer/streamer/internal/testservers"
)

// copyPlace is a stream as it is written to and as it is read.
type copyPlace struct{ write, read string }

// copyPlaces are new streams on every backend, with shards as they differ.
func copyPlaces(t *testing.T) map[string]copyPlace {
	t.Helper()
	name := "copy-" + uuid.NewString()
	drop(t, name)
	log := fileLog(t)
	places := map[string]copyPlace{
		"memory, 8 shards": {"memory://" + name + "/many?shards=8", "memory://" + name + "/many"},
		"memory, 1 shard":  {"memory://" + name + "/one", "memory://" + name + "/one"},
		"file, 5 shards":   {log + "/many?shards=5", log + "/many"},
		"file, 1 shard":    {log + "/one", log + "/one"},
	}
	if addr := testservers.Redis(t); addr != "" {
		at := "redis://" + addr + "/" + name
		places["redis, plain"] = copyPlace{at + "-plain", at + "-plain?shards=auto"}
		places["redis, 3 shards"] = copyPlace{at + "-many?shards=3", at + "-many?shards=3"}
		forget(t, at+"-plain", name+"-plain")
		forget(t, at+"-many?shards=3", name+"-many")
	}
	if addr := testservers.Kafka(t); addr != "" {
		at := "kafka://" + addr + "/" + name
		places["kafka, 2 shards"] = copyPlace{at + "?create=always&shards=2", at}
		forget(t, at, name)
	}
	return places
}

func forget(t *testing.T, uri, stream string) {
	t.Cleanup(func() {
		s, err := streamer.Connect(context.Background(), uri)
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		_ = s.Admin().Delete(context.Background(), stream) // it may never have been made
	})
}

// TestWhatConsumePrintsProduceStoresOnEveryBackend, whatever shards the source
// has and whatever the target keeps of when and where a message was.
func TestWhatConsumePrintsProduceStoresOnEveryBackend(t *testing.T) {
	var in, want []string
	for i := range 40 {
		n := strconv.Itoa(i)
		in = append(in, `{"key":"k`+n+`","headers":[{"key":"h","value":"`+n+`"}],"value":"v`+n+`"}`)
		want = append(want, "k"+n+" h="+n+" v"+n)
	}
	slices.Sort(want)
	lines := strings.Join(in, "\n") + "\n"
	for from, source := range copyPlaces(t) {
		here(t, lines, "produce", source.write, "-i", "json").want(t, exitOK, "")
		printed := here(t, "", "consume", source.read, "--until-end", "-o", "json")
		if printed.code != exitOK {
			t.Errorf("%s: %+v", from, printed)
			continue
		}
		if strings.Contains(printed.stdout, "18446744073709551615") {
			t.Errorf("%s prints a number that JSON cannot hold: %s", from, clip(printed.stdout))
		}
		// stdin and stdout in between are one more backend.
		piped := there(t, printed.stdout, "consume", "stdio://?format=json", "-o", "json")
		if piped.stdout != printed.stdout {
			t.Errorf("%s: a pipe changes %s into %s", from, clip(printed.stdout), clip(piped.stdout))
		}
		for to, target := range copyPlaces(t) {
			t.Run(from+" to "+to, func(t *testing.T) {
				r := here(t, printed.stdout, "produce", target.write, "-i", "json")
				if r.code != exitOK {
					t.Fatalf("produce: %+v", r)
				}
				if got := contents(t, here(t, "", "consume", target.read, "--until-end", "-o", "json")); !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		}
	}
}

// contents is what the messages of a run of consume carry, in an order of its
// own.
func contents(t *testing.T, r result) (all []string) {
	t.Helper()
	for line := range strings.Lines(r.stdout) {
		l, err := ndjson.Parse([]byte(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		text := string(l.Key)
		for _, h := range l.Headers {
			text += " " + h.Key + "=" + string(h.Value)
		}
		all = append(all, text+" "+string(l.Value))
	}
	slices.Sort(all)
	return all
}

// TestTheTargetDecidesTheShard unless it is asked to keep what a line names.
func TestTheTargetDecidesTheShard(t *testing.T) {
	drop(t, "shards")
	line := `{"shard":5,"key":"k","value":"v"}` + "\n"
	here(t, line, "produce", "memory://shards/one", "-i", "json").want(t, exitOK, "")
	here(t, line, "produce", "memory://shards/one", "-i", "json", "--keep-shards").want(t, exitNotFound, "", "shard 5")
	here(t, line, "produce", "memory://shards/eight?shards=8", "-i", "json", "--keep-shards").want(t, exitOK, "")
	r := here(t, "", "consume", "memory://shards/eight", "--until-end", "-o", "json")
	if !strings.Contains(r.stdout, `"shard":5,`) {
		t.Errorf("%+v", r)
	}
	here(t, line, "produce", "memory://shards/one", "-i", "json", "--shard=five").want(t, exitUsage, "", "--shard")
}

// TestThePlainShardHasAName in text, in JSON and in options.
func TestThePlainShardHasAName(t *testing.T) {
	addr := testservers.Redis(t)
	if addr == "" {
		return
	}
	name := "plain-" + uuid.NewString()
	uri := "redis://" + addr + "/" + name
	forget(t, uri, name)
	there(t, "v\n", "produce", uri).want(t, exitOK, "")
	auto := uri + "?shards=auto"
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"describe", auto}, "  plain  "},
		{[]string{"describe", auto, "-o", "json"}, `"shard":"plain",`},
		{[]string{"consume", auto, "--until-end", "-o", "json"}, `"shard":"plain",`},
		{[]string{"consume", auto, "--until-end", "--assign=plain"}, "v\n"},
		{[]string{"consume", auto + "&assign=18446744073709551615", "--until-end"}, "v\n"},
		{[]string{"consume", auto, "--until-end", "--group=g", "-o", "json"}, `"shard":"plain",`},
		{[]string{"lag", auto, "-o", "json"}, `"shard":"plain",`},
	} {
		r := there(t, "", c.args...)
		if r.code != exitOK || !strings.Contains(r.stdout, c.says) || strings.Contains(r.stdout, "1844674407370955") {
			t.Errorf("%v: %+v, want %q", c.args, r, c.says)
		}
	}
	there(t, "w\n", "produce", auto, "--shard=plain").want(t, exitOK, "")
	there(t, "", "consume", uri, "--until-end").want(t, exitOK, "v\nw\n")
}
