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
	"path/filepath"
	"sync"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// BlobStore holds the controller's content for one run: what is offered to the
// hosts, by its hash, and what hosts handed over. Files stay on disk. It is
// safe for concurrent use.
type BlobStore struct {
	mu     sync.Mutex
	files  map[fileKey]*hashing
	bytes  map[string][]byte  // by hash
	paths  map[string]fileKey // by hash
	spool  string             // directory of what was received, made when needed
	closed bool
}

var _ host.Blobs = (*BlobStore)(nil)

// fileKey is a file as it was when it was hashed.
type fileKey struct {
	path  string
	size  int64
	mtime time.Time
}

type hashing struct {
	once sync.Once
	blob host.Blob
	err  error
}

// NewBlobStore makes an empty store.
func NewBlobStore() *BlobStore {
	return &BlobStore{files: map[fileKey]*hashing{}, bytes: map[string][]byte{}, paths: map[string]fileKey{}}
}

func keyOf(path string) (fileKey, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return fileKey{}, err
	}
	if !fi.Mode().IsRegular() {
		return fileKey{}, fmt.Errorf("%s is not a regular file", path)
	}
	return fileKey{path, fi.Size(), fi.ModTime()}, nil
}

// AddFile offers the regular file at path to the hosts. Each version of a file
// (size, modification time) is hashed once, however many hosts ask. The file
// must not change until the run ends.
func (s *BlobStore) AddFile(path string) (host.Blob, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return host.Blob{}, err
	}
	key, err := keyOf(path)
	if err != nil {
		return host.Blob{}, err
	}
	s.mu.Lock()
	h := s.files[key]
	if h == nil {
		h = &hashing{}
		s.files[key] = h
	}
	s.mu.Unlock()
	h.once.Do(func() {
		if h.blob, h.err = hashFile(path); h.err == nil {
			s.mu.Lock()
			s.paths[h.blob.SHA256] = key
			s.mu.Unlock()
		}
	})
	return h.blob, h.err
}

func hashFile(path string) (host.Blob, error) {
	f, err := os.Open(path)
	if err != nil {
		return host.Blob{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return host.Blob{SHA256: hex.EncodeToString(h.Sum(nil)), Size: n}, err
}

// AddBytes offers content that is in memory. It must not be changed afterwards.
func (s *BlobStore) AddBytes(content []byte) host.Blob {
	b := host.BlobOf(content)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes[b.SHA256] = content
	return b
}

// Open gives content that was added or received; the caller closes it. It fails
// when there is none of this hash, or when its file was changed since.
func (s *BlobStore) Open(_ context.Context, b host.Blob) (io.ReadCloser, error) {
	s.mu.Lock()
	content, inMemory := s.bytes[b.SHA256]
	key, onDisk := s.paths[b.SHA256]
	s.mu.Unlock()
	if inMemory {
		return io.NopCloser(bytes.NewReader(content)), nil
	}
	if !onDisk {
		return nil, fmt.Errorf("there is no content with sha256 %s on the controller", b.SHA256)
	}
	now, err := keyOf(key.path)
	if err != nil {
		return nil, err
	}
	if now.size != key.size || !now.mtime.Equal(key.mtime) {
		return nil, fmt.Errorf("%s was changed during the run", key.path)
	}
	return os.Open(key.path)
}

// Put keeps what a host hands over in a private temporary file.
func (s *BlobStore) Put(ctx context.Context, r io.Reader) (blob host.Blob, err error) {
	dir, err := s.spoolDir()
	if err != nil {
		return blob, err
	}
	f, err := os.CreateTemp(dir, "part-")
	if err != nil {
		return blob, err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	h := sha256.New()
	if blob.Size, err = io.Copy(io.MultiWriter(f, h), r); err != nil {
		return host.Blob{}, err
	}
	if err = f.Close(); err != nil {
		return host.Blob{}, err
	}
	blob.SHA256 = hex.EncodeToString(h.Sum(nil))
	path := filepath.Join(dir, blob.SHA256)
	if err = os.Rename(f.Name(), path); err != nil {
		return host.Blob{}, err
	}
	key, err := keyOf(path)
	if err != nil {
		return host.Blob{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, have := s.paths[blob.SHA256]; !have || filepath.Dir(s.paths[blob.SHA256].path) == dir {
		s.paths[blob.SHA256] = key
	}
	return blob, nil
}

func (s *BlobStore) spoolDir() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", errors.New("the run is over")
	}
	if s.spool != "" {
		return s.spool, nil
	}
	dir, err := os.MkdirTemp("", "foobar-play-received-")
	if err != nil {
		return "", fmt.Errorf("make a directory for what hosts hand over: %w", err)
	}
	s.spool = dir
	return dir, nil
}

// Close removes what was received.
func (s *BlobStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.spool == "" {
		return nil
	}
	return os.RemoveAll(s.spool)
}
