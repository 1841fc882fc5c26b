package kafka_test

import (
	"bytes"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/kafka"
)

const (
	consoleConsumer = "org.apache.kafka.tools.consumer.ConsoleConsumer"
	consoleProducer = "org.apache.kafka.tools.ConsoleProducer"

	interopShards = 5
	interopKeys   = 40
)

// output runs a tool of another client's and returns what it prints.
func (r *rig) output(tool *exec.Cmd, input string) string {
	r.Helper()
	var complaints bytes.Buffer
	tool.Stdin, tool.Stderr = strings.NewReader(input), &complaints
	out, err := tool.Output()
	if err != nil {
		r.Fatalf("%v: %v\n%s", tool.Args, err, complaints.String())
	}
	return string(out)
}

// interopRecords have keys and headers. A record without either is among them.
func interopRecords() []streamer.Record {
	records := []streamer.Record{{Value: []byte("neither key nor header")}}
	for i := range interopKeys {
		records = append(records, streamer.Record{
			Key:     fmt.Append(nil, "customer-", i),
			Value:   fmt.Append(nil, "order ", i),
			Headers: []streamer.Header{{Key: "trace", Value: fmt.Append(nil, "t", i)}, {Key: "trace", Value: []byte("again")}},
		})
	}
	return records
}

// line is the format in which both tools print a record.
func line(shard streamer.ShardID, key, value []byte, headers []streamer.Header) string {
	var pairs []string
	for _, h := range headers {
		pairs = append(pairs, h.Key+"="+string(h.Value))
	}
	if key == nil {
		key = []byte("NULL")
	}
	return fmt.Sprintf("%d|%s|%s|%s", shard, strings.Join(pairs, ","), key, value)
}

// sameLines fails unless the same lines are in both, in any order.
func (r *rig) sameLines(got, want []string) {
	r.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOtherClientsReadWhatWeWrite(t *testing.T) {
	t.Parallel()
	readers := map[string]func(*rig, int) *exec.Cmd{
		"Java": func(r *rig, n int) *exec.Cmd {
			return testservers.KafkaTool(t, consoleConsumer, "--bootstrap-server", r.brokers[0], "--topic", r.topic, "--from-beginning",
				"--max-messages", fmt.Sprint(n), "--timeout-ms", fmt.Sprint(hang.Milliseconds()),
				"--formatter-property", "print.partition=true", "--formatter-property", "print.key=true", "--formatter-property", "print.headers=true",
				"--formatter-property", "key.separator=|", "--formatter-property", "headers.separator=,", "--formatter-property", "null.literal=NULL")
		},
		"librdkafka": func(r *rig, n int) *exec.Cmd {
			return testservers.Kcat(t, "-C", "-b", r.brokers[0], "-t", r.topic, "-o", "beginning", "-c", fmt.Sprint(n), "-q", "-Z", "-f", `%p|%h|%k|%s\n`)
		},
	}
	for name, reader := range readers {
		t.Run(name, func(t *testing.T) {
			r := onReal(t, interopShards, nil)
			if r == nil {
				return
			}
			records := interopRecords()
			tool := reader(r, len(records))
			if tool == nil {
				return
			}
			p := r.producer(r.connect(kafka.Config{}, streamer.StreamerOptions{}))
			var want []string
			for _, rec := range records {
				m, err := p.Send(r.ctx(), rec).Wait(r.ctx())
				r.must(err)
				want = append(want, line(m.Shard, rec.Key, rec.Value, rec.Headers))
			}
			out := r.output(tool, "")
			out = strings.ReplaceAll(out, "Partition:", "")
			out = strings.ReplaceAll(out, "NO_HEADERS", "")
			out = strings.ReplaceAll(out, "trace:", "trace=")
			r.sameLines(strings.Split(strings.TrimSpace(out), "\n"), want)
		})
	}
}

func TestWeReadWhatOtherClientsWrite(t *testing.T) {
	t.Parallel()
	writers := map[string]func(*rig) (tool *exec.Cmd, format string){
		"Java": func(r *rig) (*exec.Cmd, string) {
			return testservers.KafkaTool(t, consoleProducer, "--bootstrap-server", r.brokers[0], "--topic", r.topic,
				"--reader-property", "parse.key=true", "--reader-property", "parse.headers=true", "--reader-property", "key.separator=|",
				"--reader-property", "headers.delimiter=|"), "trace:t%[1]d,trace:again|customer-%[1]d|order %[1]d\n"
		},
		"librdkafka": func(r *rig) (*exec.Cmd, string) {
			return testservers.Kcat(t, "-P", "-b", r.brokers[0], "-t", r.topic, "-K", "|", "-H", "trace=t", "-H", "trace=again",
				"-X", "topic.partitioner=murmur2_random", "-X", "topic.compression.codec=gzip"), "customer-%[1]d|order %[1]d\n"
		},
	}
	for name, writer := range writers {
		t.Run(name, func(t *testing.T) {
			r := onReal(t, interopShards, nil)
			if r == nil {
				return
			}
			tool, format := writer(r)
			if tool == nil {
				return
			}
			s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
			c := r.consumer(s, streamer.ConsumerOptions{})
			var input strings.Builder
			for i := range interopKeys {
				fmt.Fprintf(&input, format, i)
			}
			r.output(tool, input.String())
			r.checkOthers(c, strings.Contains(format, "%[1]d,"))
			r.must(s.Close())
		})
	}
}

// checkOthers takes the records that another client wrote, and sends one of
// each key: it has to go where the other's went.
func (r *rig) checkOthers(c streamer.Consumer, numbered bool) {
	r.Helper()
	went := make(map[string]streamer.ShardID)
	for range interopKeys {
		m, err := c.Next(r.ctx())
		r.must(err)
		var i int
		if _, err := fmt.Sscanf(string(m.Key), "customer-%d", &i); err != nil {
			r.Fatalf("key %q: %v", m.Key, err)
		}
		trace := "t"
		if numbered {
			trace = fmt.Sprint("t", i)
		}
		want := line(m.Shard, fmt.Append(nil, "customer-", i), fmt.Append(nil, "order ", i),
			[]streamer.Header{{Key: "trace", Value: []byte(trace)}, {Key: "trace", Value: []byte("again")}})
		if got := line(m.Shard, m.Key, m.Value, m.Headers); got != want {
			r.Errorf("got %s, want %s", got, want)
		}
		went[string(m.Key)] = m.Shard
	}
	p := r.producer(r.connect(kafka.Config{}, streamer.StreamerOptions{}))
	for _, key := range slices.Sorted(maps.Keys(went)) {
		m, err := p.Send(r.ctx(), streamer.Record{Key: []byte(key)}).Wait(r.ctx())
		r.must(err)
		if m.Shard != went[key] {
			r.Errorf("key %s went to shard %d, the other client's to %d", key, m.Shard, went[key])
		}
	}
	if len(went) != interopKeys {
		r.Errorf("%d keys, want %d", len(went), interopKeys)
	}
}
