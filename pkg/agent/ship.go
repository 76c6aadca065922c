package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/connection"
)

// unameOS and unameArch translate what uname says to Go's names.
var (
	unameOS   = map[string]string{"Linux": "linux", "Darwin": "darwin", "FreeBSD": "freebsd", "OpenBSD": "openbsd", "NetBSD": "netbsd"}
	unameArch = map[string]string{
		"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "arm", "armv6l": "arm",
		"i386": "386", "i686": "386", "riscv64": "riscv64", "ppc64le": "ppc64le", "s390x": "s390x", "loongarch64": "loong64",
	}
)

func parsePlatform(system, machine string) (platform, error) {
	p := platform{unameOS[system], unameArch[machine]}
	if p.goos == "" || p.goarch == "" {
		return p, fmt.Errorf("the host is a %s on %s, for which there is no agent", system, machine)
	}
	return p, nil
}

// offer answers NEED: the program for the host's platform is sent, or offered
// first when the host may have it although it was not asked for it.
func (s *starter) offer(rest string) (*program, error) {
	words := strings.Fields(rest)
	if len(words) != 3 {
		return nil, fmt.Errorf("the host does not say what it is: %q", rest)
	}
	p, err := parsePlatform(words[0], words[1])
	if err != nil {
		return nil, err
	}
	prog, err := s.o.Binaries.get(p)
	if err != nil {
		return nil, err
	}
	s.gzip = words[2] == "gz"
	if s.force || slices.Contains(s.have, prog) {
		return prog, s.ship(prog)
	}
	_, err = io.WriteString(s.proc.Stdin(), "try "+prog.name+"\n")
	return prog, err
}

// ship sends the program. It returns at once: how it went is in the script's
// next line.
func (s *starter) ship(p *program) (err error) {
	if p == nil {
		return errors.New("the host asks for a program before it says what it is")
	}
	path, size, form := p.path, int64(0), "raw"
	if s.gzip {
		form = "gz"
		if path, size, err = s.o.Binaries.pack(p); err != nil {
			return fmt.Errorf("compress the agent program: %w", err)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the agent program: %w", err)
	}
	if !s.gzip {
		fi, err := f.Stat()
		if err != nil {
			f.Close()
			return err
		}
		size = fi.Size()
	}
	s.shipped = true
	s.o.Log.Debug().Str("host", s.conn.Name()).Str("program", p.name).Int64("bytes", size).Msg("ship the agent")
	go func() {
		defer f.Close()
		if _, err := fmt.Fprintf(s.proc.Stdin(), "put %s %d %s %s\n", p.name, size, p.sha256, form); err == nil {
			_, _ = io.Copy(s.proc.Stdin(), f)
		}
	}()
	return nil
}

// listen reads stderr for as long as the process lives, and answers the
// question for the become user's password: once.
func (s *starter) listen() {
	var said strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := s.proc.Stderr().Read(buf)
		if n > 0 {
			_, _ = s.stderr.Write(buf[:n])
			if becoming, given := s.becoming(); becoming {
				said.Write(buf[:n])
				if s.o.Become.asks(said.String(), s.prompt, given) {
					said.Reset()
					s.answer()
				}
			} else if text := strings.TrimSpace(string(buf[:n])); text != "" {
				s.o.Log.Debug().Str("host", s.conn.Name()).Str("stderr", text).Msg("agent")
			}
		}
		if err != nil {
			return
		}
	}
}

// becoming reports whether the other user is not become yet, and whether the
// password was given.
func (s *starter) becoming() (yes, given bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.o.Become.Method != "" && !s.started, s.given
}

func (s *starter) answer() {
	s.mu.Lock()
	denied := s.given || s.o.Become.Password == ""
	s.denied = denied
	s.given = true
	s.mu.Unlock()
	if denied {
		s.proc.Kill()
		return
	}
	_, _ = io.WriteString(s.proc.Stdin(), s.o.Become.Password+"\n")
}

// explain gives the error of an attempt that failed with err.
func (s *starter) explain(ctx context.Context, err error, listened <-chan struct{}) error {
	host := s.conn.Name()
	exit := s.awaitExit()
	s.proc.Kill()
	select {
	case <-listened:
	case <-time.After(time.Second):
	}
	var lost *connection.Error
	if errors.As(exit, &lost) && ctx.Err() == nil {
		return lost
	}
	s.mu.Lock()
	started, given, denied := s.started, s.given, s.denied
	s.mu.Unlock()
	said := strings.TrimSpace(strings.ReplaceAll(s.stderr.String(), s.prompt, ""))
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errLate) {
		return &connection.Error{Host: host, Kind: connection.Cancelled, Err: cause, Msg: fmt.Sprintf("starting the agent was cancelled: %v", cause)}
	} else if cause != nil {
		err, exit = cause, nil
	}
	if !started && s.o.Become.Method != "" {
		return s.o.Become.failure(host, said, given && s.o.Become.Password != "", denied && s.o.Become.Password != "", exit)
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("it ended before it said anything")
	}
	msg := fmt.Sprintf("start the agent: %v", err)
	if exit != nil {
		msg += " (" + exit.Error() + ")"
	}
	if said != "" {
		msg += "\n" + said
	}
	return &connection.Error{Host: host, Kind: connection.NoAgent, Err: err, Msg: msg}
}

// awaitExit waits shortly for the process to end by itself, nil when it does
// not or ended well.
func (s *starter) awaitExit() error {
	exited := make(chan error, 1)
	go func() { exited <- s.proc.Wait() }()
	select {
	case err := <-exited:
		return err
	case <-time.After(time.Second):
		return nil
	}
}
