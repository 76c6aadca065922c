// Package host is how a module sees the machine it works on: a Reader, which
// can only look, and a Writer, which can also change.
//
// Three things implement them: Real (this machine, used by the agent), Shadow
// (a dry run: what earlier tasks would have written is laid over what the host
// has) and the fake host of pkg/modules/modulestest. Higher-level knowledge
// (accounts, packages, units) is built on these interfaces in sub-packages, so
// that it holds for all three.
//
// "Not there" always needs positive evidence: a read that fails for another
// reason is an error, never an absence. What a dry run cannot know is an
// *UnknownError.
//
// The package knows nothing of playbooks, modules or connections.
package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// FileType is what kind of thing a path is, by the words of Ansible's stat and
// file modules.
type FileType string

// The types a path can have.
const (
	File      FileType = "file"
	Directory FileType = "directory"
	Link      FileType = "link"
	Other     FileType = "other" // device, socket, pipe
)

// FileInfo describes one path.
type FileInfo struct {
	Path     string
	Type     FileType
	Mode     uint32 // permission bits with setuid 04000, setgid 02000, sticky 01000
	UID, GID int
	Size     int64 // bytes
	ModTime  time.Time
	AccTime  time.Time
	ChgTime  time.Time // zero where the system does not say
	Target   string    // of a link, as written
	Nlink    uint64
	Inode    uint64
	Device   uint64
	Special  string // for Other: "chr", "blk", "fifo" or "sock"
}

// Reader looks at a host. It has no way to change it. Paths are absolute.
//
// Lstat, Stat, Open, ReadDir fail with an error matching fs.ErrNotExist only
// when the path is positively not there, and with *UnknownError when a dry run
// cannot know.
type Reader interface {
	// Lstat describes a path without following a final link.
	Lstat(path string) (FileInfo, error)
	// Stat describes what a path leads to.
	Stat(path string) (FileInfo, error)
	// Open reads a regular file's content; the caller closes it.
	Open(path string) (io.ReadCloser, error)
	// ReadDir lists a directory, sorted by name, without following links.
	ReadDir(path string) ([]FileInfo, error)
	// Query runs a command that only reads. In a dry run it is run too, so the
	// caller promises that it changes nothing.
	Query(ctx context.Context, cmd Command) (Output, error)
	// Noted returns what an earlier task of a dry run noted (see Writer.Note)
	// about a thing that is not a file. On a real host ok is always false.
	Noted(kind, name string) (v any, ok bool)
}

// Writer changes a host. Every file write is atomic: content goes to a
// temporary file of mode 0600 beside the destination, is synced, gets its
// attributes and is renamed.
type Writer interface {
	Reader
	// WriteFile makes path a regular file with the content, replacing a file
	// or link that stands there.
	WriteFile(path string, content io.Reader, attrs Attrs) error
	// Mkdir makes one directory; its parent must exist.
	Mkdir(path string, mode uint32) error
	// Symlink makes path a symbolic link to target, replacing a file or link
	// atomically.
	Symlink(target, path string) error
	// Link makes path a hard link to the existing file target, replacing a
	// file or link.
	Link(target, path string) error
	// Chmod sets the permission bits; it does not follow links.
	Chmod(path string, mode uint32) error
	// Chown sets owner and group by number, -1 leaves one as it is; links are
	// changed themselves, not followed.
	Chown(path string, uid, gid int) error
	// Chtimes sets the access and modification times; a zero time is left.
	Chtimes(path string, atime, mtime time.Time) error
	// Rename moves a path within its file system, replacing a file or link at
	// the destination; a directory there is an error.
	Rename(from, to string) error
	// Remove deletes a file, a link or a whole tree; a missing path is fine.
	Remove(path string) error
	// Run executes a command that changes the host. In a dry run it is not
	// executed; its Pretend is called instead.
	Run(ctx context.Context, cmd Command) (Output, error)
	// Note records, in a dry run only, the state a thing that is not a file
	// will have, for later Noted. On a real host it does nothing.
	Note(kind, name string, v any)
}

// Attrs are the attributes of a file to be written. A nil Mode keeps the mode
// of the file replaced, 0644 less nothing for a new one; UID and GID likewise,
// the running user's for a new one.
type Attrs struct {
	Mode     *uint32
	UID, GID *int
	ModTime  time.Time // zero: now
}

// Command is a program to execute, without a shell. The locale is always C, so
// that output can be read.
type Command struct {
	Argv  []string
	Dir   string   // working directory; "" is the agent's
	Env   []string // "NAME=value", added to the agent's environment
	Stdin []byte
	// Timeout ends the command's whole process group when it passes; 0: none.
	Timeout time.Duration
	// OnOutput, when set, gets output as it comes; stream is "stdout" or
	// "stderr". It must not keep chunk.
	OnOutput func(stream string, chunk []byte)
	// Locale keeps the locale of the environment instead of C: for commands
	// whose output is the user's, not ours.
	Locale bool
	// Pretend says what the command does to the host, in terms of the Writer:
	// a dry run calls it instead of executing. nil: its effects cannot be
	// foreseen, and Run answers with *UnknownError in a dry run.
	Pretend func(w Writer) error
}

// Output is what a finished command left.
type Output struct {
	Stdout, Stderr []byte
	RC             int // exit code; 128+n when signal n ended it
	Start, End     time.Time
}

// Check turns a command's outcome into an error unless it ran and exited 0:
// a *CommandError for another exit code.
func Check(cmd Command, out Output, err error) error {
	if err != nil {
		return err
	}
	if out.RC != 0 {
		return &CommandError{Argv: cmd.Argv, Output: out}
	}
	return nil
}

// CommandError is a command that ended with a code other than 0. The whole
// output is on the value; Error gives its last lines.
type CommandError struct {
	Argv   []string
	Output Output
}

// Error names the program, its exit code and the end of what it said.
func (e *CommandError) Error() string {
	said := tail(e.Output.Stderr)
	if said == "" {
		said = tail(e.Output.Stdout)
	}
	name := "command"
	if len(e.Argv) > 0 {
		name = e.Argv[0]
	}
	if said == "" {
		return fmt.Sprintf("%s exited with %d", name, e.Output.RC)
	}
	return fmt.Sprintf("%s exited with %d: %s", name, e.Output.RC, said)
}

// UnknownError says that a dry run cannot know something, and why. It is not a
// failure: the task is reported as "maybe".
type UnknownError struct {
	// Reason is a clause for people: "package nginx is not installed yet and
	// may ship it".
	Reason string
}

// Error gives the reason.
func (e *UnknownError) Error() string { return "not known before the run: " + e.Reason }

// Unknownf makes an *UnknownError.
func Unknownf(format string, args ...any) error {
	return &UnknownError{Reason: fmt.Sprintf(format, args...)}
}

// IsUnknown reports whether err says that a dry run cannot know, and the
// reason.
func IsUnknown(err error) (reason string, ok bool) {
	var u *UnknownError
	if errors.As(err, &u) {
		return u.Reason, true
	}
	return "", false
}

// Exists reports whether something is at path (a dangling link counts). A
// failed look is an error, not an absence.
func Exists(r Reader, path string) (bool, error) {
	_, err := r.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// ReadFile returns a whole file's content. It is for files that fit in memory;
// copy from Open otherwise.
func ReadFile(r Reader, path string) ([]byte, error) {
	f, err := r.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
