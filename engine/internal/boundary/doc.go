// Package boundary types the errors that go from a backend to the program. It
// adds once where each happened.
package boundary
