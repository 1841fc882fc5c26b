package ss

// crcInit is the checksum of nothing.
const crcInit = 0xFFFF

// crcTable[k][b] is the effect of byte b followed by k zero bytes: with eight of them the checksum takes eight bytes a step.
var crcTable = newCRCTable()

func newCRCTable() *[8][256]uint16 {
	const poly = 0xC867
	t := new([8][256]uint16)
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
}

// Checksum is CRC-16/CDMA2000: polynomial C867, initial value FFFF, not reflected.
func Checksum(p []byte) uint16 { return update(crcInit, p) }

func update(crc uint16, p []byte) uint16 {
	t := crcTable
	for len(p) >= 8 {
		crc = t[7][p[0]^byte(crc>>8)] ^ t[6][p[1]^byte(crc)] ^
			t[5][p[2]] ^ t[4][p[3]] ^ t[3][p[4]] ^ t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]]
		p = p[8:]
	}
	for _, b := range p {
		crc = crc<<8 ^ t[0][byte(crc>>8)^b]
	}
	return crc
}

// Running carries a stream's running checksum over one more message, given the checksum of its payload.
func Running(crc, sum uint16) uint16 {
	return update(crc, []byte{byte(sum >> 8), byte(sum)})
}
