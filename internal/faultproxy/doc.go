// Package faultproxy is a network that tests can break: a TCP proxy on
// loopback, between a client and a server, that cuts connections after a given
// number of bytes, stalls, delays and counts.
package faultproxy
