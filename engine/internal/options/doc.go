// Package options checks options and positions, fills in defaults and merges
// the layers in which options come.
package options
