package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The least that a reader of a log has to do: docs/file-format.md has the
// layout.
const (
	headerSize = 128
	fixedSize  = 8 + 8 + 8 + 4 // of a frame between stream and payload: shard, sequence, time, size
	tailSize   = 2 + 1         // checksum and end
	frameEnd   = '\r'
)

var errFrame = errors.New("not a frame")

// walkFrames reads a log and checks every message; frames of the internal
// stream are not counted.
func walkFrames(r io.Reader) (n int, err error) {
	log := &unbroken{in: bufio.NewReader(r)}
	if err := log.readHeader(); err != nil {
		return 0, err
	}
	in := bufio.NewReaderSize(log, 256<<10)
	for {
		stream, err := walkFrame(in)
		switch {
		case err == io.EOF:
			return n, nil
		case err != nil:
			return n, fmt.Errorf("message %d: %w", n, err)
		case stream == len(streamName):
			n++
		}
	}
}

// unbroken is a log without its header and beacons.
type unbroken struct {
	in       *bufio.Reader
	interval int
	left     int // up to the next beacon
}

func (u *unbroken) readHeader() error {
	header, err := u.in.Peek(headerSize)
	if err != nil {
		return err
	}
	at := 4 + int(header[3]) + 8 // behind the name and the time
	u.interval = int(binary.BigEndian.Uint32(header[at:]))
	u.left = u.interval - headerSize
	_, err = u.in.Discard(headerSize)
	return err
}

func (u *unbroken) Read(p []byte) (int, error) {
	if u.left == 0 {
		if err := u.skipBeacon(); err != nil {
			return 0, err
		}
	}
	n, err := u.in.Read(p[:min(len(p), u.left)])
	u.left -= n
	return n, err
}

func (u *unbroken) skipBeacon() error {
	head, err := u.in.Peek(1 + 4 + 1)
	if err != nil {
		return err
	}
	size, items := len(head), int(head[5])
	for range items {
		text, err := u.in.Peek(size + 1)
		if err != nil {
			return err
		}
		size += 1 + int(text[size]) + 8 + 8 + 8 + 2
	}
	n, err := u.in.Discard(size + 1)
	u.left = u.interval - n
	return err
}

// walkFrame checks the next frame in place and returns the length of its
// stream's name.
func walkFrame(in *bufio.Reader) (stream int, err error) {
	first, err := in.Peek(1)
	if err != nil {
		return 0, err
	}
	stream = int(first[0])
	head, err := in.Peek(1 + stream + fixedSize)
	if err != nil {
		return 0, err
	}
	size := int(binary.BigEndian.Uint32(head[len(head)-4:]))
	frame, err := in.Peek(len(head) + size + tailSize)
	if err != nil {
		return 0, err
	}
	body, tail := frame[len(head):len(head)+size], frame[len(head)+size:]
	if checksum(body) != binary.BigEndian.Uint16(tail) || tail[2] != frameEnd {
		return 0, errFrame
	}
	_, err = in.Discard(len(frame))
	return stream, err
}

// crcTable[k][b] is the effect of byte b followed by k zero bytes on a
// CRC-16/CDMA2000.
var crcTable = func() (t [16][256]uint16) {
	const poly = 0xC867
	for b := range t[0] {
		crc := uint16(b) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= poly
			}
		}
		t[0][b] = crc
	}
	for k := 1; k < len(t); k++ {
		for b, crc := range t[k-1] {
			t[k][b] = crc<<8 ^ t[0][crc>>8]
		}
	}
	return t
}()

// checksum takes sixteen bytes a step and looks up last what depends on the
// step before.
func checksum(p []byte) uint16 {
	t, crc := &crcTable, uint16(0xFFFF)
	for len(p) >= 16 {
		q := p[:16:16]
		front := t[13][q[2]] ^ t[12][q[3]] ^ t[11][q[4]] ^ t[10][q[5]] ^ t[9][q[6]] ^ t[8][q[7]]
		back := t[7][q[8]] ^ t[6][q[9]] ^ t[5][q[10]] ^ t[4][q[11]] ^ t[3][q[12]] ^ t[2][q[13]] ^ t[1][q[14]] ^ t[0][q[15]]
		crc = front ^ back ^ t[15][q[0]^byte(crc>>8)] ^ t[14][q[1]^byte(crc)]
		p = p[16:]
	}
	for _, b := range p {
		crc = crc<<8 ^ t[0][byte(crc>>8)^b]
	}
	return crc
}
