package redis

import (
	"bufio"
	"strconv"
)

// What is written in RESP goes through a bufio.Writer, which keeps the first
// error for Flush.

func writeList(to *bufio.Writer, n int) { writeNumber(to, '*', n) }

func writeText(to *bufio.Writer, text []byte) {
	writeNumber(to, '$', len(text))
	_, _ = to.Write(text)
	_, _ = to.WriteString("\r\n")
}

func writeWord(to *bufio.Writer, word string) {
	writeNumber(to, '$', len(word))
	_, _ = to.WriteString(word)
	_, _ = to.WriteString("\r\n")
}

func writeNumber(to *bufio.Writer, kind byte, n int) {
	b := append(to.AvailableBuffer(), kind)
	_, _ = to.Write(append(strconv.AppendInt(b, int64(n), 10), "\r\n"...))
}
