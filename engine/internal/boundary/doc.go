// Package boundary types the errors that go from a backend to the program: it
// says where each happened, once.
package boundary
