package peer

import "bytes"

// recognise says what begins like b, of which there are a few bytes at least.
func recognise(b []byte) Protocol {
	switch {
	case isKafka(b):
		return Kafka
	case isRedis(b):
		return Redis
	case len(b) > 1 && (b[0] == 0x15 || b[0] == 0x16) && b[1] == 3: // an alert, a handshake
		return TLS
	}
	for _, p := range [...]struct {
		begins string
		is     Protocol
	}{{"HTTP/", HTTP}, {"<html", HTTP}, {"<!DOC", HTTP}, {"SSH-", SSH}, {"AMQP", AMQP}} {
		if bytes.HasPrefix(b, []byte(p.begins)) {
			return p.is
		}
	}
	return Other
}

// isRedis says that b begins like the answer to a PING, or like an error.
func isRedis(b []byte) bool {
	if bytes.HasPrefix(b, []byte("+PONG")) {
		return true
	}
	return len(b) > 1 && b[0] == '-' && b[1] >= 'A' && b[1] <= 'Z'
}
