// Package observe reports what happens in the engine to hooks and logger.
package observe
