// Package embedded holds the agent's programs for other platforms in release
// builds: with the build tag embed_agents it embeds the gzip'ed programs
// foobar-play-agent_GOOS_GOARCH.gz that lie beside this file (the Makefile's
// release target builds them); without it there are none.
package embedded

import (
	"compress/gzip"
	"io"
	"io/fs"
)

// Open gives the program of this name ("foobar-play-agent_linux_arm64"),
// uncompressed; the caller closes it. It matches fs.ErrNotExist when this build
// has none.
func Open(name string) (io.ReadCloser, error) {
	if programs == nil {
		return nil, fs.ErrNotExist
	}
	f, err := programs.Open(name + ".gz")
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{z, f}, nil
}
