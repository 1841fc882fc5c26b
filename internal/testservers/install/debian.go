package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/gostreamer/streamer/internal/testservers"
)

// getPackage gets a package of Debian's: into the system where we may, else
// unpacked into the cache, with the program that the pattern finds.
func getPackage(ctx context.Context, name, pattern string) error {
	switch {
	case !hasApt():
		return errors.New("no apt-get here")
	case os.Geteuid() == 0:
		return aptInstall(ctx, name)
	default:
		return unpack(ctx, name, pattern)
	}
}

func hasApt() bool {
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return false
		}
	}
	return true
}

// aptInstall installs a package into the system. The lists of packages are
// fetched only where the present ones do not lead to it.
func aptInstall(ctx context.Context, name string) error {
	install := func() error {
		_, err := run(ctx, "", "apt-get", "install", "-y", "-q", "--no-install-recommends", name)
		return err
	}
	if install() == nil {
		return nil
	}
	if _, err := run(ctx, "", "apt-get", "update", "-q"); err != nil {
		return err
	}
	return install()
}

// unpack puts a package and the libraries that the system does not have into
// the cache, without installing anything, and a script beside them that starts
// the program of the package that the pattern finds.
func unpack(ctx context.Context, name, pattern string) error {
	dir := filepath.Join(testservers.CacheDir(), filepath.Base(pattern))
	apt, err := privateApt(dir)
	if err != nil {
		return err
	}
	packages, err := apt.download(ctx, name)
	if err != nil {
		return errors.Join(err, apt.remove())
	}
	root := filepath.Join(dir, "root")
	for _, p := range packages {
		if _, err := run(ctx, "", "dpkg-deb", "-x", p, root); err != nil {
			return errors.Join(err, apt.remove())
		}
	}
	return errors.Join(relink(root), writeScript(dir, root, pattern), apt.remove())
}

// relink makes links to where the packages were meant to be lead to where they
// are.
func relink(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type() != fs.ModeSymlink {
			return err
		}
		target, err := os.Readlink(path)
		if err != nil || !filepath.IsAbs(target) {
			return err
		}
		target = filepath.Join(root, target)
		if _, err := os.Lstat(target); err != nil {
			return nil //nolint:nilerr // it belongs to the system
		}
		return errors.Join(os.Remove(path), os.Symlink(target, path))
	})
}

func writeScript(dir, root, pattern string) error {
	libraries, err := filepath.Glob(filepath.Join(root, "usr", "lib", "*-linux-*"))
	if err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("the package has no %s", pattern)
	}
	script := fmt.Sprintf("#!/bin/sh\nLD_LIBRARY_PATH='%s' exec '%s' \"$@\"\n", strings.Join(libraries, ":"), found[0])
	return os.WriteFile(filepath.Join(dir, filepath.Base(pattern)), []byte(script), 0o755)
}

// apt is apt-get with lists and archives of its own, which needs no rights.
type apt struct {
	dir     string
	options []string
}

func privateApt(parent string) (*apt, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "apt-")
	if err != nil {
		return nil, err
	}
	a := &apt{dir: dir, options: []string{"-q",
		"-o", "Dir::State::lists=" + dir + "/lists",
		"-o", "Dir::Cache=" + dir,
		"-o", "Dir::Cache::archives=" + dir + "/archives",
		"-o", "Acquire::Languages=none",
	}}
	for _, sub := range []string{"lists/partial", "archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	return a, nil
}

var planned = regexp.MustCompile(`(?m)^Inst (\S+)`)

// download gets a package and what it needs beside what is installed, and names
// the files.
func (a *apt) download(ctx context.Context, name string) ([]string, error) {
	if _, err := a.get(ctx, "update"); err != nil {
		return nil, err
	}
	plan, err := a.get(ctx, "--simulate", "--no-install-recommends", "install", name)
	if err != nil {
		return nil, err
	}
	args := []string{"download"}
	for _, p := range planned.FindAllStringSubmatch(plan, -1) {
		args = append(args, p[1])
	}
	if len(args) == 1 {
		return nil, fmt.Errorf("%s is installed, but not in PATH", name)
	}
	if _, err := a.get(ctx, args...); err != nil {
		return nil, err
	}
	return filepath.Glob(filepath.Join(a.dir, "*.deb"))
}

func (a *apt) remove() error { return os.RemoveAll(a.dir) }

func (a *apt) get(ctx context.Context, args ...string) (string, error) {
	return run(ctx, a.dir, "apt-get", append(a.options, args...)...)
}

// run runs a program in dir and returns what it printed.
func run(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
