//go:build race

package main

// The binary is checked for races when the tests are.
var buildFlags = []string{"build", "-race"}
