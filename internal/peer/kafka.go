package peer

import (
	"encoding/binary"
	"net"
)

// correlation marks the answer to our question.
const correlation = 0x5ea1

// longestAnswer is more than any broker's list of versions takes.
const longestAnswer = 1 << 20

// apiVersions is Kafka's first request, in the version that every broker
// answers, also before it knows who asks.
func apiVersions() []byte {
	const client = "streamer"
	b := binary.BigEndian.AppendUint32(nil, 10+uint32(len(client)))
	b = binary.BigEndian.AppendUint16(b, 18) // ApiVersions
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint32(b, correlation)
	b = binary.BigEndian.AppendUint16(b, uint16(len(client)))
	return append(b, client...)
}

// AskKafka asks what is at the other end of c as a Kafka broker. Silent comes
// with the reason. c is of no use afterwards.
func AskKafka(c net.Conn) (Protocol, error) {
	if _, err := c.Write(apiVersions()); err != nil {
		return Silent, err
	}
	return listen(c)
}

// isKafka says that b begins with the answer to apiVersions.
func isKafka(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	size := binary.BigEndian.Uint32(b)
	return size >= 6 && size <= longestAnswer && binary.BigEndian.Uint32(b[4:]) == correlation
}
