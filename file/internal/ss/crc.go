package ss

// crcInit is the checksum of nothing.
const crcInit = 0xFFFF

// crcTable[k][b] is the effect of byte b followed by k zero bytes: with sixteen
// of them the checksum takes sixteen bytes a step. They are 8 KiB, so that half
// of the processor's first cache is left for what is checked.
var crcTable = newCRCTable()

func newCRCTable() *[16][256]uint16 {
	const poly = 0xC867
	t := new([16][256]uint16)
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

// Checksum is CRC-16/CDMA2000: polynomial C867, initial value FFFF, not
// reflected.
func Checksum(p []byte) uint16 { return update(crcInit, p) }

// update looks up last what depends on the step before: the other lookups need
// not wait for it.
func update(crc uint16, p []byte) uint16 {
	t := crcTable
	for len(p) >= 16 {
		q := p[:16:16]
		x := t[13][q[2]] ^ t[12][q[3]] ^ t[11][q[4]] ^ t[10][q[5]] ^ t[9][q[6]] ^ t[8][q[7]]
		y := t[7][q[8]] ^ t[6][q[9]] ^ t[5][q[10]] ^ t[4][q[11]] ^ t[3][q[12]] ^ t[2][q[13]] ^ t[1][q[14]] ^ t[0][q[15]]
		crc = x ^ y ^ t[15][q[0]^byte(crc>>8)] ^ t[14][q[1]^byte(crc)]
		p = p[16:]
	}
	for _, b := range p {
		crc = crc<<8 ^ t[0][byte(crc>>8)^b]
	}
	return crc
}

// Running carries a stream's running checksum over one more message, given the
// checksum of its payload.
func Running(crc, sum uint16) uint16 {
	return update(crc, []byte{byte(sum >> 8), byte(sum)})
}
