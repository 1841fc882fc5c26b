package testservers

import (
	"fmt"
	"os"
	"path/filepath"
)

// verdictsVariable names the directory that a run of all tests gathers what it
// found out in; conformance writes there, too.
const verdictsVariable = "STREAMER_VERDICTS"

// testify notes that a server took part, a line for each, in the file "servers"
// of the directory that STREAMER_VERDICTS names.
func testify(server, version, kind string) error {
	dir, ok := os.LookupEnv(verdictsVariable)
	if !ok {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(dir, "servers"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %s (%s)\n", server, version, kind) // one write, so lines of several processes do not mix
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
