package streamer

import (
	"errors"
	"net"
	"strings"
	"testing"
	"testing/fstest"
)

func TestDefaultGroupIsTheHostAndTheProgram(t *testing.T) {
	const (
		machineID = "etc/machine-id"
		id        = "0123456789abcdef0123456789abcdef\n"
		derived   = "8a1b42fbaa4c0706"
	)
	made, local := net.HardwareAddr{0, 0x1b, 0x21, 1, 2, 3}, net.HardwareAddr{0x52, 0x54, 0, 1, 2, 3}
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	tests := []struct {
		name      string
		env       map[string]string
		files     fstest.MapFS
		addresses []net.HardwareAddr
		program   string
		want      string
		refused   string
	}{
		{name: "HOST_ID", env: map[string]string{"HOST_ID": "blue"}, files: fstest.MapFS{machineID: file(id)}, want: "blue-billing"},
		{name: "HOST_ID in a container", env: map[string]string{"HOST_ID": "blue"}, files: fstest.MapFS{".dockerenv": file("")}, want: "blue-billing"},
		{name: "machine id", files: fstest.MapFS{machineID: file(id)}, addresses: []net.HardwareAddr{made}, want: derived + "-billing"},
		{name: "machine id not set up", files: fstest.MapFS{machineID: file("uninitialized\n")}, addresses: []net.HardwareAddr{made}, want: "001b21010203-billing"},
		{name: "empty machine id", files: fstest.MapFS{machineID: file("")}, addresses: []net.HardwareAddr{made}, want: "001b21010203-billing"},
		{name: "made address before local", addresses: []net.HardwareAddr{nil, local, made}, want: "001b21010203-billing"},
		{name: "local address", addresses: []net.HardwareAddr{local}, want: "525400010203-billing"},
		{name: "Windows", addresses: []net.HardwareAddr{made}, program: "/Program Files/billing.exe", want: "001b21010203-billing"},
		{name: "tests", addresses: []net.HardwareAddr{made}, program: "/tmp/go-build123/b001/x.test", want: "001b21010203-x.test"},
		{name: "cgroup of the host", addresses: []net.HardwareAddr{made},
			files: fstest.MapFS{"proc/self/cgroup": file("0::/user.slice/user-1000.slice\n"), "proc/self/mountinfo": file("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n")},
			want:  "001b21010203-billing"},

		{name: "nothing", addresses: []net.HardwareAddr{nil}, refused: "HOST_ID"},
		{name: "Docker", files: fstest.MapFS{".dockerenv": file(""), machineID: file(id)}, refused: "HOST_ID"},
		{name: "Podman", files: fstest.MapFS{"run/.containerenv": file("")}, refused: "container"},
		{name: "nspawn", files: fstest.MapFS{"run/systemd/container": file("systemd-nspawn")}, refused: "container"},
		{name: "LXC", env: map[string]string{"container": "lxc"}, refused: "container"},
		{name: "Kubernetes", env: map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, refused: "container"},
		{name: "ECS", env: map[string]string{"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4"}, refused: "container"},
		{name: "cgroup v1", files: fstest.MapFS{"proc/self/cgroup": file("1:name=systemd:/docker/0123\n")}, refused: "container"},
		{name: "mounted host name", files: fstest.MapFS{"proc/self/mountinfo": file("9 8 8:1 /var/lib/x/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n")}, refused: "container"},
		{name: "go run", env: map[string]string{"HOST_ID": "blue"}, program: "/tmp/go-build4082520194/b001/exe/billing", refused: "go run"},
		{name: "go run from the cache", env: map[string]string{"HOST_ID": "blue"},
			program: "/home/me/.cache/go-build/a1/a1" + strings.Repeat("3e", 31) + "-d/billing", refused: "go run"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := host{
				getenv:    func(name string) string { return tt.env[name] },
				root:      tt.files,
				addresses: func() []net.HardwareAddr { return tt.addresses },
				program:   "/usr/bin/billing",
			}
			if tt.program != "" {
				h.program = tt.program
			}
			got, err := h.group()
			if tt.refused == "" {
				if err != nil || got != tt.want {
					t.Errorf("got %q, %v, want %q", got, err, tt.want)
				}
				return
			}
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tt.refused) || !strings.Contains(err.Error(), "ConsumerOptions.Group") {
				t.Errorf("got %q, %v, want ErrInvalid naming the option and %q", got, err, tt.refused)
			}
		})
	}
}

func TestDefaultGroupAsksThisMachine(t *testing.T) {
	t.Setenv("HOST_ID", "blue")
	if got, err := DefaultGroup(); err != nil || !strings.HasPrefix(got, "blue-") || len(got) == len("blue-") {
		t.Errorf("got %q, %v", got, err)
	}
	t.Setenv("HOST_ID", "")
	if got, err := DefaultGroup(); (got == "") != errors.Is(err, ErrInvalid) {
		t.Errorf("got %q, %v", got, err)
	}
}
