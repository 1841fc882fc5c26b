package streamer_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/gostreamer/streamer"

// base may be imported by every package; the reason is printed by go test -v.
var base = map[string]string{
	"golang.org/x/sync":      "errgroup: goroutines that end together with the first error",
	"github.com/google/uuid": "member names that no two processes share",
}

// more is what a package may import beside base, and why.
var more = map[string]map[string]string{
	"":       {},
	"driver": {},
	"engine": {},
	"memory": {},
	"stdio":  {},
	"file": {
		"github.com/fsnotify/fsnotify": "wakes a reader when its log grows, on every platform",
		"github.com/gofrs/flock":       "kernel locks: one writer of a log, one owner of a shard, free again when the process dies",
		"golang.org/x/sys":             "what fsnotify and flock stand on",
	},
	"redis": {
		"github.com/redis/go-redis/v9": "the client: connections, TLS, ACL, cluster, sentinel",
		"github.com/cespare/xxhash/v2": "what go-redis stands on",
		"go.uber.org/atomic":           "what go-redis stands on",
		"golang.org/x/sys":             "what go-redis stands on",
	},
	"kafka": {
		"github.com/twmb/franz-go":          "the client: the protocol, groups, TLS, SASL",
		"github.com/twmb/franz-go/pkg/kadm": "administration and offsets",
		"github.com/twmb/franz-go/pkg/kmsg": "the protocol's requests",
		"github.com/klauspost/compress":     "what franz-go stands on",
		"github.com/pierrec/lz4/v4":         "what franz-go stands on",
	},
}

// backends never import one another.
var backends = []string{"memory", "stdio", "file", "redis", "kafka", "kinesis", "sqs", "cloudwatch"}

type pkg struct {
	ImportPath string
	Standard   bool
	Deps       []string
	Module     *struct{ Path string }
}

// list is go list -deps of the packages in dirs, by import path.
func list(t *testing.T, goos string, dirs ...string) map[string]pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Deps,Module")
	for _, dir := range dirs {
		cmd.Args = append(cmd.Args, "./"+dir)
	}
	cmd.Env = append(os.Environ(), "GOOS="+goos)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	all := map[string]pkg{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

func TestBaseImportsOnlyWhatIsAllowed(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			all := list(t, goos, "", "driver", "engine", "memory", "stdio", "file")
			for _, dir := range slices.Sorted(maps.Keys(more)) {
				checkImports(t, all, dir, more[dir])
			}
		})
	}
}

func checkImports(t *testing.T, all map[string]pkg, dir string, extra map[string]string) {
	t.Helper()
	name := strings.TrimSuffix(module+"/"+dir, "/")
	var used []string
	for _, dep := range all[name].Deps {
		p := all[dep]
		if p.Standard || p.Module == nil || slices.Contains(used, p.Module.Path) {
			continue
		}
		if p.Module.Path == module {
			continue // TestTheArrowsBetweenPackages
		}
		used = append(used, p.Module.Path)
		why := base[p.Module.Path] + extra[p.Module.Path]
		if why == "" {
			t.Errorf("%s imports %s", name, dep)
			continue
		}
		t.Logf("%s imports %s: %s", name, p.Module.Path, why)
	}
}

// layers is what a package of this module may import of it, beside its own
// internal packages and those that all share: the API knows neither the
// contract nor the engine, the contract not the engine, and nothing a backend.
var layers = map[string][]string{
	"":       {},
	"driver": {""},
	"engine": {"", "driver"},
}

func TestTheArrowsBetweenPackages(t *testing.T) {
	dirs := slices.Sorted(maps.Keys(layers))
	allowed := maps.Clone(layers)
	for _, dir := range backends {
		if _, err := os.Stat(dir); err == nil {
			dirs = append(dirs, dir)
			allowed[dir] = []string{"", "driver", "engine"}
		}
	}
	all := list(t, "linux", dirs...)
	for _, dir := range dirs {
		name := path.Join(module, dir)
		if _, ok := all[name]; !ok {
			t.Fatalf("%s is not listed", name)
		}
		for _, dep := range all[name].Deps {
			if !strings.HasPrefix(dep+"/", module+"/") || strings.HasPrefix(dep, module+"/internal/") {
				continue
			}
			layer, _, _ := strings.Cut(dep, "/internal/")
			layer = strings.TrimPrefix(strings.TrimPrefix(layer, module), "/")
			if layer != dir && !slices.Contains(allowed[dir], layer) {
				t.Errorf("%s imports %s", name, dep)
			}
		}
	}
}
