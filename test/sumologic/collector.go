package sumologic

import (
	"bytes"
	"cmp"
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
	"time"

	"github.com/foobar-play/foobar-play/test/lab"
)

// unusedFor is how long a cached collector may go unused before a build of
// another one removes it.
const unusedFor = 30 * 24 * time.Hour

// Collector returns the path of the collector whose Go module is in the folder
// source (test/otelcol), static and for this machine's architecture. The first
// call for a content of that folder builds it, which takes some minutes; it is
// kept in the lab's cache directory, outside the checkout.
func Collector(ctx context.Context, source string) (string, error) {
	sum, err := content(source)
	if err != nil {
		return "", fmt.Errorf("read the collector's module: %w", err)
	}
	dir := filepath.Join(cmp.Or(os.Getenv(lab.CacheEnv), "/var/cache/foobar-play-lab"), "otelcol")
	program := filepath.Join(dir, sum)
	if _, err := os.Stat(program); err == nil {
		return program, os.Chtimes(program, time.Time{}, time.Now())
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the collector's cache: %w", err)
	}
	part, err := os.MkdirTemp(dir, ".building-")
	if err != nil {
		return "", fmt.Errorf("make the collector's cache: %w", err)
	}
	defer os.RemoveAll(part)
	built := filepath.Join(part, "otelcol")
	cmd := exec.CommandContext(ctx, "nice", "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", built, ".")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the collector: %w\n%s", err, bytes.TrimSpace(out))
	}
	if err := os.Rename(built, program); err != nil {
		return "", fmt.Errorf("keep the collector: %w", err)
	}
	return program, prune(dir)
}

// content is a hash of what the collector is built from.
func content(source string) (string, error) {
	names, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range append(names, filepath.Join(source, "go.mod"), filepath.Join(source, "go.sum")) {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, filepath.Base(name))
		_, err = io.Copy(h, f)
		f.Close()
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// prune removes what was not used for long.
func prune(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		info, infoErr := e.Info()
		if infoErr == nil && time.Since(info.ModTime()) > unusedFor {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
