package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// buildTimeout bounds one run of the Go toolchain.
const buildTimeout = 10 * time.Minute

// built compiles this program for another platform: from its source tree, when
// the current directory, the executable or the compiled-in paths lead there,
// else from the module cache or proxy, when it is a released version.
func built(p platform) (string, error) {
	tool, err := goTool()
	if err != nil {
		return "", err
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Path == "" {
		return "", errNotThis("this program does not know its own module")
	}
	if info.Path == "command-line-arguments" || strings.HasSuffix(info.Path, ".test") {
		return "", errNotThis(info.Path + " is no package that can be built; name a program by agent.Binary")
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir, err := sourceDir(tool, info)
	if err == nil {
		return buildTree(tool, dir, info.Path, p, cache)
	}
	if v := info.Main.Version; v != "" && v != "(devel)" && !strings.Contains(v, "+dirty") {
		return buildVersion(tool, info.Path+"@"+v, p, cache)
	}
	return "", fmt.Errorf("the source of %s is not here: %w", info.Path, err)
}

func goTool() (string, error) {
	if path, err := exec.LookPath("go"); err == nil {
		return path, nil
	}
	const path = "/usr/local/go/bin/go" // where go.dev tells people to put it
	if _, err := os.Stat(path); err != nil {
		return "", errNotThis("there is no Go toolchain here")
	}
	return path, nil
}

// sourceDir finds the directory of the main package.
func sourceDir(tool string, info *debug.BuildInfo) (string, error) {
	candidates := []string{"."}
	if exe, err := os.Executable(); err == nil {
		candidates = append(candidates, filepath.Dir(exe))
	}
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		candidates = append(candidates, filepath.Dir(file))
	}
	err := errors.New("no directory to look in")
	for _, dir := range candidates {
		if _, statErr := os.Stat(dir); statErr != nil {
			continue
		}
		var out string
		// -mod=mod is not given: a look must not write go.mod.
		if out, err = runGo(tool, dir, nil, "list", "-f", "{{.Dir}}", info.Path); err == nil {
			return strings.TrimSpace(out), nil
		}
	}
	return "", err
}

// buildTree compiles from source. The toolchain itself knows what is up to
// date; a lock keeps two runs from writing the same file at a time.
func buildTree(tool, dir, pkg string, p platform, cache string) (string, error) {
	key := sha256.Sum256([]byte(dir))
	path := filepath.Join(cache, "build-"+hex.EncodeToString(key[:8]), programFile(p))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	unlock, err := lockedfile.MutexAt(path + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := runGo(tool, dir, p.environ(), "build", "-trimpath", "-ldflags", "-s -w", "-o", path, pkg); err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	// Under a name of its own: the next build may replace path while we ship.
	return cacheProgram(programFile(p), f)
}

// buildVersion compiles a released version.
func buildVersion(tool, target string, p platform, cache string) (string, error) {
	tmp, err := os.MkdirTemp(cache, "install-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	modules, err := runGo(tool, tmp, nil, "env", "GOMODCACHE")
	if err != nil {
		return "", err
	}
	env := append(p.environ(), "GOBIN=", "GOPATH="+tmp, "GOMODCACHE="+strings.TrimSpace(modules))
	if _, err := runGo(tool, tmp, env, "install", "-trimpath", "-ldflags", "-s -w", target); err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(tmp, "bin", "*"))
	nested, _ := filepath.Glob(filepath.Join(tmp, "bin", "*_*", "*"))
	for _, path := range append(nested, found...) {
		if fi, statErr := os.Stat(path); statErr == nil && fi.Mode().IsRegular() {
			f, err := os.Open(path)
			if err != nil {
				return "", err
			}
			defer f.Close()
			return cacheProgram(programFile(p), f)
		}
	}
	return "", errors.Join(errors.New("go install left no program"), err)
}

func (p platform) environ() []string {
	return []string{"CGO_ENABLED=0", "GOOS=" + p.goos, "GOARCH=" + p.goarch, "GOFLAGS="}
}

func runGo(tool, dir string, env []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}

// cacheDir is the controller's own directory for programs of other platforms.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	dir := filepath.Join(base, "foobar-play-controller")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, nil
}

// cacheProgram keeps a program in the cache under a name that holds its
// content's hash.
func cacheProgram(name string, r io.Reader) (path string, err error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "."+name+"-")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(f, h), r); err != nil {
		return "", err
	}
	if err := errors.Join(f.Chmod(0o700), f.Close()); err != nil {
		return "", err
	}
	path = filepath.Join(dir, name+"-"+hex.EncodeToString(h.Sum(nil))[:16])
	return path, os.Rename(f.Name(), path)
}
