package kafka

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The client itself retries what a broker refuses temporarily: too few
// replicas, no leader. It reports that only to its log, which is therefore read
// while records wait.

// overdue is how long a record waits before the reason is looked for.
const overdue = time.Second

// ages is how many spans of overdue there are.
const ages = 1024

// delay finds out why records of a sink wait, and reports it once per state.
type delay struct {
	log      logger
	retrying func(op string, err error, after time.Duration) // nil: nothing listens

	flying    atomic.Int64       // records that the clients have
	born      [ages]atomic.Int64 // those of them that came in a span
	span      atomic.Uint32      // the present one
	armed     atomic.Bool        // the timer runs
	listening atomic.Bool        // a record has waited for overdue

	mu    sync.Mutex // guards the rest
	timer *time.Timer
	why   map[string]bool // what was reported while records wait
	last  error
	ended bool
}

// took counts a record that the client accepted, and returns when that was.
func (d *delay) took() (span uint32) {
	span = d.span.Load()
	d.born[span%ages].Add(1)
	d.flying.Add(1)
	d.arm()
	return span
}

// gave counts an outcome.
func (d *delay) gave(span uint32) {
	d.born[span%ages].Add(-1)
	d.flying.Add(-1)
}

// arm starts the timer unless it runs.
func (d *delay) arm() {
	if d.armed.Load() || !d.armed.CompareAndSwap(false, true) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.again()
}

// again sets the timer. mu is held.
func (d *delay) again() {
	switch {
	case d.ended:
	case d.timer == nil:
		d.timer = time.AfterFunc(overdue, d.look)
	default:
		d.timer.Reset(overdue)
	}
}

// look listens to the client while a record waits that came before the span
// that ends now.
func (d *delay) look() {
	d.mu.Lock()
	now := d.span.Load()
	waits := d.flying.Load() > d.born[now%ages].Load()
	d.span.Add(1)
	d.listening.Store(waits)
	if !waits {
		d.why, d.last = nil, nil
	}
	if d.flying.Load() > 0 {
		d.again()
		d.mu.Unlock()
		return
	}
	d.armed.Store(false)
	d.mu.Unlock()
	if d.flying.Load() > 0 { // it came before armed said that it has to start the timer
		d.arm()
	}
}

func (d *delay) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	d.listening.Store(false)
	if d.timer != nil {
		d.timer.Stop()
	}
}

// because records a reason, and reports it if it is new. A connection that
// cannot be made is reported elsewhere.
func (d *delay) because(err error) {
	if !d.listening.Load() || !d.note(err) || d.retrying == nil || isNetwork(err) {
		return
	}
	d.retrying("send", err, 0)
}

// note keeps a reason for the receipts; false when it is not new.
func (d *delay) note(err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = err
	if d.ended || d.why[err.Error()] {
		return false
	}
	if d.why == nil {
		d.why = make(map[string]bool)
	}
	d.why[err.Error()] = true
	return true
}

var _ kgo.Logger = (*delay)(nil)

// Level implements kgo.Logger.
func (d *delay) Level() kgo.LogLevel {
	if d.listening.Load() {
		return kgo.LogLevelDebug
	}
	if d.log.to == nil {
		return kgo.LogLevelNone
	}
	return d.log.Level()
}

// Log implements kgo.Logger.
func (d *delay) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	if d.log.to != nil && level <= d.log.Level() {
		d.log.Log(level, msg, keyvals...)
	}
	if !d.listening.Load() {
		return
	}
	switch {
	case msg == "produced":
		d.read(fmt.Sprint(value(keyvals, "to")))
	case strings.HasPrefix(msg, "produce partition load error"), strings.HasPrefix(msg, "produce request failed"):
		if err, ok := value(keyvals, "err").(error); ok {
			at := placeName(value(keyvals, "topic"), value(keyvals, "partition"))
			d.because(onPlace(at, err))
		}
	}
}

// value returns the value of a key in a log line.
func value(keyvals []any, key string) any {
	for i := 0; i+1 < len(keyvals); i += 2 {
		if keyvals[i] == key {
			return keyvals[i+1]
		}
	}
	return nil
}

func placeName(topic, partition any) string {
	if topic == nil || partition == nil {
		return ""
	}
	return fmt.Sprintf("%v shard %v", topic, partition)
}

func onPlace(at string, err error) error {
	if at == "" {
		return err
	}
	return fmt.Errorf("%s: %w", at, err)
}

// read finds in what the client says of an answer the codes of the batches that
// it sends again: orders[0{retrying@-1,1(NOT_ENOUGH_REPLICAS: …)}, 1{0=>1}].
func (d *delay) read(answer string) {
	topic, rest, ok := strings.Cut(answer, "[")
	for ok {
		head, tail, found := strings.Cut(rest, "{retrying@")
		if !found {
			return
		}
		if i := strings.LastIndexByte(head, '['); i >= 0 { // another topic begins
			before := head[:i]
			topic = before[strings.LastIndexAny(before, " ,]")+1:]
			head = head[i+1:]
		}
		partition := head[strings.LastIndexAny(head, " ,")+1:]
		_, text, _ := strings.Cut(tail, "(")
		name, _, _ := strings.Cut(text, ":")
		if code := codeNamed(name); code != nil {
			at := placeName(topic, partition)
			d.because(onPlace(at, code))
		}
		rest = tail
	}
}

// lastCode is beyond the codes that brokers have.
const lastCode = 200

// codeNamed is the error that has a name.
func codeNamed(name string) error {
	for code := int16(1); code < lastCode; code++ {
		if err := kerr.TypedErrorForCode(code); err != nil && err.Message == name {
			return err
		}
	}
	return nil
}

var _ interface{ Why() error } = (*sink)(nil)

// Why implements driver.Explainer.
func (s *sink) Why() error {
	s.delay.mu.Lock()
	defer s.delay.mu.Unlock()
	return s.delay.last
}
