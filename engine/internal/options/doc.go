// Package options checks options and positions, fills in defaults and merges
// the layers of options.
package options
