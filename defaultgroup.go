package streamer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// DefaultGroup is the group of a Resumable consumer that names none: $HOST_ID,
// or else the machine's id or hardware address, then the program's name. It is
// ErrInvalid under go run and in a container without HOST_ID, whose id changes
// with every deployment, so that progress would be lost.
func DefaultGroup() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", noGroup("the program's own path is not known: " + err.Error())
	}
	return host{getenv: os.Getenv, root: os.DirFS("/"), addresses: hardwareAddresses, program: program}.group()
}

// host is what DefaultGroup reads from the machine.
type host struct {
	getenv    func(string) string
	root      fs.FS
	addresses func() []net.HardwareAddr // in the machine's own order
	program   string
}

func (h host) group() (string, error) {
	if isGoRun(h.program) {
		return "", noGroup("a program under go run has no name of its own")
	}
	id, err := h.id()
	if err != nil {
		return "", err
	}
	return id + "-" + strings.TrimSuffix(filepath.Base(h.program), ".exe"), nil
}

func noGroup(why string) error {
	return &Error{Op: "group", Kind: ErrInvalid, Err: errors.New(why + "; name a group: group= in the URI or ConsumerOptions.Group")}
}

func (h host) id() (string, error) {
	if id := h.getenv("HOST_ID"); id != "" {
		return id, nil
	}
	if h.inContainer() {
		return "", noGroup("a container's id changes with every deployment, and progress would be lost; set HOST_ID to what stays")
	}
	if id := h.machineID(); id != "" {
		return id, nil
	}
	if id := stableAddress(h.addresses()); id != "" {
		return id, nil
	}
	return "", noGroup("this machine has neither an id nor a hardware address; set HOST_ID")
}

// machineID is derived from /etc/machine-id as machine-id(5) requires: the id
// itself is confidential, the name of a group is not.
func (h host) machineID() string {
	raw, err := fs.ReadFile(h.root, "etc/machine-id")
	id := strings.TrimSpace(string(raw))
	if err != nil || id == "" || id == "uninitialized" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(id))
	mac.Write([]byte("github.com/gostreamer/streamer DefaultGroup"))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// stableAddress prefers an address that the manufacturer assigned. Addresses
// with the local bit are often generated at boot.
func stableAddress(all []net.HardwareAddr) string {
	const localBit = 2
	local := ""
	for _, a := range all {
		switch {
		case len(a) == 0:
		case a[0]&localBit == 0:
			return hex.EncodeToString(a)
		case local == "":
			local = hex.EncodeToString(a)
		}
	}
	return local
}

func hardwareAddresses() []net.HardwareAddr {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var out []net.HardwareAddr
	for _, i := range all {
		if i.Flags&net.FlagLoopback == 0 {
			out = append(out, i.HardwareAddr)
		}
	}
	return out
}

// inContainer recognises Docker, Podman, LXC, systemd-nspawn, Kubernetes and
// ECS. No single mark exists in all of them.
func (h host) inContainer() bool {
	for _, name := range [...]string{"container", "KUBERNETES_SERVICE_HOST", "ECS_CONTAINER_METADATA_URI_V4"} {
		if h.getenv(name) != "" {
			return true
		}
	}
	for _, name := range [...]string{".dockerenv", "run/.containerenv", "run/systemd/container"} {
		if _, err := fs.Stat(h.root, name); err == nil {
			return true
		}
	}
	return h.fileHas("proc/self/cgroup", "/docker", "/kubepods", "/lxc", "/libpod", "/ecs/", "containerd") ||
		h.fileHas("proc/self/mountinfo", " /etc/hostname ", " /etc/hosts ")
}

func (h host) fileHas(name string, words ...string) bool {
	text, err := fs.ReadFile(h.root, name)
	for _, w := range words {
		if err == nil && strings.Contains(string(text), w) {
			return true
		}
	}
	return false
}

// isGoRun recognises the two places where go run puts a program:
// go-build123/b001/exe/name in a temporary directory and, since Go 1.24,
// ab/<64 digits>-d/name in the build cache, whose digits start with ab.
func isGoRun(program string) bool {
	const digits = 64
	dir := strings.Split(filepath.ToSlash(filepath.Dir(program)), "/")
	if len(dir) < 3 {
		return false
	}
	work, parent, last := dir[len(dir)-3], dir[len(dir)-2], dir[len(dir)-1]
	if last == "exe" && strings.HasPrefix(work, "go-build") {
		return true
	}
	return len(last) == digits+len("-d") && strings.HasSuffix(last, "-d") && last[:2] == parent
}
