package agent

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/klauspost/compress/gzip"
)

const (
	// dirName begins the name of the agent's directory on a host, and
	// programPrefix that of each program in it; the rest of it is a hash.
	dirName       = "foobar-play"
	programPrefix = "agent-"
)

// platform is an operating system and an architecture, by Go's names.
type platform struct{ goos, goarch string }

func (p platform) String() string { return p.goos + "/" + p.goarch }

// Binaries holds the agent's program for each platform met in a run: found,
// hashed and compressed once, however many hosts need it. It is safe for
// concurrent use.
type Binaries struct {
	find func(goos, goarch string) (path string, err error)

	mu    sync.Mutex
	all   map[platform]*program
	order []platform // as they were met
	temp  []string
}

// program is an executable file to ship.
type program struct {
	once   sync.Once
	err    error
	path   string
	name   string // of the file on the host
	sha256 string

	packOnce sync.Once
	packErr  error
	packed   string // path of the compressed copy
	packSize int64
}

// NewBinaries makes Binaries from a function that names the program file for a
// platform: SelfBinary, Binary, or one of your own.
func NewBinaries(find func(goos, goarch string) (path string, err error)) *Binaries {
	return &Binaries{find: find, all: map[platform]*program{}}
}

// Binary always ships the program at path, whatever the platform: for tests,
// and for programs that build their agent themselves.
func Binary(path string) func(goos, goarch string) (string, error) {
	return func(string, string) (string, error) { return path, nil }
}

// get finds the program for a platform.
func (b *Binaries) get(p platform) (*program, error) {
	b.mu.Lock()
	prog := b.all[p]
	if prog == nil {
		prog = &program{}
		b.all[p] = prog
		b.order = append(b.order, p)
	}
	b.mu.Unlock()
	prog.once.Do(func() {
		if prog.path, prog.err = b.find(p.goos, p.goarch); prog.err != nil {
			return
		}
		blob, err := hashFile(prog.path)
		if err != nil {
			prog.err = fmt.Errorf("read the agent's program: %w", err)
			return
		}
		prog.sha256 = blob.SHA256
		prog.name = programPrefix + blob.SHA256[:32]
	})
	return prog, prog.err
}

// likely lists the programs that a new host may have already, in the order in
// which their platforms were met; the first guess is Linux on our own
// architecture. One that cannot be had is left out: that is an error only when
// a host needs it.
func (b *Binaries) likely() []*program {
	_, _ = b.get(platform{"linux", runtime.GOARCH})
	b.mu.Lock()
	order := append([]platform(nil), b.order...)
	b.mu.Unlock()
	var out []*program
	for _, p := range order {
		if prog, err := b.get(p); err == nil {
			out = append(out, prog)
		}
	}
	return out
}

// pack compresses the program, once.
func (b *Binaries) pack(p *program) (path string, size int64, err error) {
	p.packOnce.Do(func() {
		p.packed, p.packSize, p.packErr = compress(p.path)
		if p.packErr == nil {
			b.mu.Lock()
			b.temp = append(b.temp, p.packed)
			b.mu.Unlock()
		}
	})
	return p.packed, p.packSize, p.packErr
}

func compress(path string) (packed string, size int64, err error) {
	in, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer in.Close()
	out, err := os.CreateTemp("", "foobar-play-agent-*.gz")
	if err != nil {
		return "", 0, err
	}
	defer func() {
		out.Close()
		if err != nil {
			os.Remove(out.Name())
		}
	}()
	z := gzip.NewWriter(out)
	if _, err = io.Copy(z, in); err != nil {
		return "", 0, err
	}
	if err = z.Close(); err != nil {
		return "", 0, err
	}
	if size, err = out.Seek(0, io.SeekEnd); err != nil {
		return "", 0, err
	}
	return out.Name(), size, out.Close()
}

// Close removes the compressed copies.
func (b *Binaries) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var first error
	for _, path := range b.temp {
		if err := os.Remove(path); err != nil && first == nil {
			first = err
		}
	}
	b.temp = nil
	return first
}
