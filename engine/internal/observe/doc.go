// Package observe reports what happens in the engine to hooks and the logger.
package observe
