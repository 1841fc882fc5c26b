// Package ss reads and writes SeaStreamer's .ss file format, byte for byte. It
// knows nothing of streams' consumers, locks or directories: it turns records
// into bytes and bytes into frames.
//
//	file   = header frame*              a beacon stands at every positive multiple of the header's interval, also in the middle of a frame
//	header = "Ss" 01 name created interval 00… 0D                                    always 128 bytes
//	frame  = key shard seq time size payload checksum 0D                             32 bytes + key + payload
//	beacon = 0D remaining count item* 0D                                             7 bytes + items
//	item   = key shard seq time running                                              27 bytes + key
//
// Integers are big-endian and unsigned; a key is a length byte and that many
// bytes; times are milliseconds since 1970; checksums are CRC-16/CDMA2000.
// docs/file-format.md has every field.
//
// The bytes between beacons are one continuous run: a [Scanner] takes the
// beacons out of it, an [Encoder] puts them in. Nothing here panics on input or
// allocates from a length that the file does not back with bytes.
package ss
