package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
)

// Blob names content by its hash. Task arguments carry Blobs; the content
// itself crosses the wire only when the host lacks it.
type Blob struct {
	SHA256 string `json:"sha256"` // lower-case hex
	Size   int64  `json:"size"`   // bytes
}

// BlobOf hashes content.
func BlobOf(content []byte) Blob {
	sum := sha256.Sum256(content)
	return Blob{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
}

// Blobs gives content by its hash. On a host it asks the controller for what
// is missing.
type Blobs interface {
	// Open returns the blob's content; the caller closes it. Reading fails
	// when what arrived has another hash.
	Open(ctx context.Context, b Blob) (io.ReadCloser, error)
	// Put hands content over to the other side (fetch); r is read to its end.
	Put(ctx context.Context, r io.Reader) (Blob, error)
}

// Digest hashes the file at path (SHA-256). Errors are Open's and the read's.
func Digest(r Reader, path string) (Blob, error) {
	f, err := r.Open(path)
	if err != nil {
		return Blob{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return Blob{}, err
	}
	return Blob{SHA256: hex.EncodeToString(h.Sum(nil)), Size: n}, nil
}

// tail gives the last lines of what a command said, short enough for a
// message.
func tail(b []byte) string {
	s := strings.TrimSpace(string(b))
	lines := strings.Split(s, "\n")
	if len(lines) > 6 {
		lines = lines[len(lines)-6:]
	}
	s = strings.Join(lines, "\n")
	if len(s) > 1000 {
		s = "…" + s[len(s)-1000:]
	}
	return s
}

// WriteString makes path a file with the text, keeping its attributes; a new
// one gets mode 0644.
func WriteString(w Writer, path, text string) error {
	return w.WriteFile(path, strings.NewReader(text), Attrs{})
}
