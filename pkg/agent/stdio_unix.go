//go:build unix

package agent

import (
	"os"

	"golang.org/x/sys/unix"
)

// takeStdio keeps stdin and stdout for the frames alone: whatever else writes
// to stdout, a child included, writes to stderr instead.
func takeStdio() (in, out *os.File, err error) {
	if in, err = own(0, "stdin"); err != nil {
		return nil, nil, err
	}
	if out, err = own(1, "stdout"); err != nil {
		return nil, nil, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, nil, err
	}
	defer null.Close()
	if err := unix.Dup2(int(null.Fd()), 0); err != nil {
		return nil, nil, err
	}
	return in, out, unix.Dup2(2, 1)
}

func own(fd int, name string) (*os.File, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(dup), name), nil
}
