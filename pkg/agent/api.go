package agent

import (
	"context"
	"io"
	"time"

	"github.com/rs/zerolog"

	"github.com/foobar-play/foobar-play/pkg/connection"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Main serves requests and exits when this process was started as an agent;
// otherwise it returns at once.
func Main(reg *modules.Registry) {}

// Binaries finds, hashes and compresses the agent's program for each platform.
type Binaries struct{}

// NewBinaries makes Binaries from a function that names the program file for a
// platform, such as SelfBinary's.
func NewBinaries(find func(goos, goarch string) (path string, err error)) *Binaries { return nil }

// Close removes the compressed copies.
func (b *Binaries) Close() error { return nil }

// SelfBinary finds the program by itself.
func SelfBinary(dir string) func(goos, goarch string) (string, error) { return nil }

// BlobStore holds content on the controller.
type BlobStore struct{}

// NewBlobStore makes an empty store.
func NewBlobStore() *BlobStore { return nil }

// AddFile hashes a file.
func (s *BlobStore) AddFile(path string) (host.Blob, error) { return host.Blob{}, nil }

// AddBytes keeps content.
func (s *BlobStore) AddBytes(content []byte) host.Blob { return host.Blob{} }

// Open returns content.
func (s *BlobStore) Open(ctx context.Context, b host.Blob) (io.ReadCloser, error) { return nil, nil }

// Put stores content.
func (s *BlobStore) Put(ctx context.Context, r io.Reader) (host.Blob, error) {
	return host.Blob{}, nil
}

// Close removes the spool.
func (s *BlobStore) Close() error { return nil }

// Become is another user.
type Become struct{ Method, User, Password, Flags, Exe string }

// Options of Start.
type Options struct {
	Binaries *Binaries
	Store    *BlobStore
	Become   Become
	Log      zerolog.Logger
}

// HostInfo is what the agent says of its host.
type HostInfo struct {
	GOOS, GOARCH string
	UID, GID     int
	User, Home   string
	PID          int
}

// Request is one task.
type Request struct {
	Module  string
	Args    map[string]any
	Check   bool
	Diff    bool
	Env     map[string]string
	Timeout time.Duration
}

// Client talks to an agent.
type Client struct{}

// Start starts the agent.
func Start(ctx context.Context, conn connection.Connection, o Options) (*Client, error) {
	return nil, nil
}

// Do runs a request.
func (c *Client) Do(ctx context.Context, r Request, onOutput func(stream string, chunk []byte)) (modules.Result, error) {
	return modules.Result{}, nil
}

// Info describes the host.
func (c *Client) Info() HostInfo { return HostInfo{} }

// Close ends the agent.
func (c *Client) Close(ctx context.Context) error { return nil }

// Done is closed when the agent is gone.
func (c *Client) Done() <-chan struct{} { return nil }

// BecomeError says that the other user could not be become.
type BecomeError struct{ Host, Msg string }

// Error gives the message.
func (e *BecomeError) Error() string { return e.Host + ": " + e.Msg }
