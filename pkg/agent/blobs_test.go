package agent

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
)

func randomFile(t *testing.T, size int) (path string, content []byte) {
	t.Helper()
	content = make([]byte, size)
	rand.Read(content)
	path = filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}

func TestBlobs(t *testing.T) {
	c, _ := inProcess(t)
	for _, size := range []int{0, 1, chunkSize, chunkSize + 1, 3*window*chunkSize + 17} {
		src, content := randomFile(t, size)
		b, err := c.store.AddFile(src)
		if err != nil {
			t.Fatal(err)
		}
		dst := filepath.Join(t.TempDir(), "dst")
		do(t, c, "put", map[string]any{"path": dst, "sha256": b.SHA256, "size": int(b.Size)})
		if got, err := os.ReadFile(dst); err != nil || !bytes.Equal(got, content) {
			t.Errorf("put %d bytes: %d bytes arrived, %v", size, len(got), err)
		}
		got := do(t, c, "get", map[string]any{"path": dst}).Values
		if got["sha256"] != b.SHA256 || got["size"] != size {
			t.Errorf("get %d bytes: %v", size, got)
		}
		r, err := c.store.Open(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := io.ReadAll(r); err != nil || !bytes.Equal(back, content) {
			t.Errorf("%d bytes came back, %v", len(back), err)
		}
		r.Close()
	}
	inMemory := c.store.AddBytes([]byte("hello"))
	dst := filepath.Join(t.TempDir(), "dst")
	do(t, c, "put", map[string]any{"path": dst, "sha256": inMemory.SHA256, "size": 5})
	if got, _ := os.ReadFile(dst); string(got) != "hello" {
		t.Errorf("%q", got)
	}
}

func TestBlobErrors(t *testing.T) {
	c, _ := inProcess(t)
	dst := filepath.Join(t.TempDir(), "dst")
	put := func(b host.Blob, path string) error {
		_, err := c.Do(t.Context(), Request{Module: "put", Args: map[string]any{"path": path, "sha256": b.SHA256, "size": int(b.Size)}}, nil)
		return err
	}
	if err := put(host.BlobOf([]byte("never added")), dst); err == nil || !strings.Contains(err.Error(), "no content") {
		t.Errorf("missing: %v", err)
	}
	src, content := randomFile(t, 3*window*chunkSize)
	b, err := c.store.AddFile(src)
	if err != nil {
		t.Fatal(err)
	}
	if err := put(b, "first byte only"); err != nil { // the rest is never read
		t.Error(err)
	}
	// The same size and time, but other content.
	fi, _ := os.Stat(src)
	content[len(content)-1]++
	if err := errors.Join(os.WriteFile(src, content, 0o600), os.Chtimes(src, fi.ModTime(), fi.ModTime())); err != nil {
		t.Fatal(err)
	}
	if err := put(b, dst); err == nil || !strings.Contains(err.Error(), "changed during the run") {
		t.Errorf("changed: %v", err)
	}
	if _, err := os.Stat(dst); err == nil {
		t.Error("wrong content was written")
	}
	if err := os.Chtimes(src, time.Time{}, fi.ModTime().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := put(b, dst); err == nil || !strings.Contains(err.Error(), src) {
		t.Errorf("touched: %v", err)
	}
	c.store.Close()
	if _, err := c.Do(t.Context(), Request{Module: "get", Args: map[string]any{"path": src}}, nil); err == nil || !strings.Contains(err.Error(), "run is over") {
		t.Errorf("closed store: %v", err)
	}
	do(t, c, "echo", nil)
	if n := len(c.streams.in) + len(c.streams.out); n != 0 {
		t.Errorf("%d streams are left", n)
	}
}
