package ss

// searchBudget bounds the bytes that ContainsFrame computes checksums of: arbitrary bytes can be full of headers.
const searchBudget = 64 << 20

// ContainsFrame says whether a whole frame with a key and the right checksum starts somewhere in b. When that would take too long to find out it says yes.
func ContainsFrame(b []byte) bool {
	budget := int64(searchBudget)
	for i := range b {
		f, size, err := parseFrame(b[i:], nil)
		if err != nil || size == 0 || size > int64(len(b)-i) || len(f.Key) == 0 || b[i+int(size)-1] != mark {
			continue
		}
		if budget -= size; budget < 0 || Checksum(f.Payload) == f.Sum {
			return true
		}
	}
	return false
}
