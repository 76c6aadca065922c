package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os/exec"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Shadow is a host as it will be: what the tasks of a dry run would have
// written is laid over what a Reader shows. Nothing reaches the host below.
//
// While something is pending (NotePending), a path that is neither pretended
// nor on the host is *UnknownError instead of fs.ErrNotExist, except where it
// is known: where packages ship nothing (/home, /root, /tmp, /var/tmp,
// /run/user, /usr/local, /srv, /mnt, /media), below directories the shadow
// itself made, and where something was removed, if that was after the note.
//
// Make it with NewShadow; it is safe for concurrent use.
type Shadow struct {
	base     Reader
	uid, gid int    // who would own what is created
	device   uint64 // of what is created, unlike any real one

	mu    sync.Mutex
	nodes map[string]*node // by physical path
	notes map[noteKey]any
	// clock counts events, to tell what came before a pending note.
	clock   int
	pending []pendingNote
}

var _ Writer = (*Shadow)(nil)

type noteKey struct{ kind, name string }

type pendingNote struct {
	name, reason string
	anywhere     bool // may bring what packages do not ship
	at           int
}

// node is a pretended file, directory or link, or, with gone, the evidence
// that nothing is there. Two paths hold the same node when they are hard links.
type node struct {
	gone    bool
	unknown string // why nothing can be known about the path and all below it
	info    FileInfo
	content content
	// origin is the path of the host whose entries show through a directory;
	// "" when none do.
	origin string
	// since is when it became certain what is in the directory, or that
	// nothing is there.
	since int
}

// NewShadow makes a shadow of base with nothing pretended yet. When base has a
// method Identity() (uid, gid int), that is who owns what is created; root
// otherwise.
func NewShadow(base Reader) *Shadow {
	s := &Shadow{base: base, device: rand.Uint64() | 1<<63, nodes: map[string]*node{}, notes: map[noteKey]any{}}
	if who, ok := base.(interface{ Identity() (uid, gid int) }); ok {
		s.uid, s.gid = who.Identity()
	}
	return s
}

// Pretended reports whether anything was pretended or noted so far: whether
// the host below differs from what it will be.
func (s *Shadow) Pretended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.nodes)+len(s.notes) > 0
}

// Noted returns what was noted. Of PendingNote with an empty name it returns
// the latest.
func (s *Shadow) Noted(kind, name string) (any, bool) {
	s.mu.Lock()
	if kind == PendingNote && name == "" && len(s.pending) > 0 {
		defer s.mu.Unlock()
		return s.pending[len(s.pending)-1].reason, true
	}
	v, ok := s.notes[noteKey{kind, name}]
	s.mu.Unlock()
	if !ok {
		return s.base.Noted(kind, name)
	}
	return v, ok
}

// Note records v under kind and name; nil takes a note back.
func (s *Shadow) Note(kind, name string, v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := noteKey{kind, name}
	if v == nil {
		delete(s.notes, key)
	} else {
		s.notes[key] = v
	}
	if reason, ok := v.(string); ok && kind == UnknownPathNote {
		s.blur(name, reason)
	}
	if kind != PendingNote {
		return
	}
	s.pending = withoutNote(s.pending, name)
	note := pendingNote{name: name, at: s.tick()}
	switch reason := v.(type) {
	case string:
		note.reason = reason
	case pendingAnywhere:
		note.reason, note.anywhere = string(reason), true
	default:
		return
	}
	s.pending = append(s.pending, note)
}

// blur makes it unknown what is at a path and below it.
func (s *Shadow) blur(p, reason string) {
	at, _, err := s.place("note", p)
	if err != nil {
		at = path.Clean(p)
	}
	s.drop(at)
	s.nodes[at] = &node{unknown: reason}
}

func withoutNote(list []pendingNote, name string) []pendingNote {
	var out []pendingNote
	for _, p := range list {
		if p.name != name {
			out = append(out, p)
		}
	}
	return out
}

// Run pretends: it calls the command's Pretend with the shadow and answers with
// exit code 0. A command without one is *UnknownError.
func (s *Shadow) Run(_ context.Context, cmd Command) (Output, error) {
	if cmd.Pretend == nil {
		return Output{}, Unknownf("what %s does is known only when it runs", programOf(cmd))
	}
	now := time.Now()
	if err := cmd.Pretend(s); err != nil {
		return Output{}, err
	}
	return Output{Start: now, End: now}, nil
}

// Query runs the command on the host below, which knows nothing of what is
// pretended. A program that is not there, but may be then, is *UnknownError.
func (s *Shadow) Query(ctx context.Context, cmd Command) (Output, error) {
	out, err := s.base.Query(ctx, cmd)
	if err == nil || !errors.Is(err, exec.ErrNotFound) {
		return out, err
	}
	if reason, ok := Pending(s); ok {
		return out, Unknownf("there is no command %s: %s", programOf(cmd), reason)
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		at := programOf(cmd)
		if !path.IsAbs(at) {
			at = path.Join(dir, at)
		}
		if info, statErr := s.Stat(at); statErr == nil && info.Type == File {
			return out, Unknownf("the command %s would be written by an earlier task", at)
		}
	}
	return out, err
}

func programOf(cmd Command) string {
	if len(cmd.Argv) == 0 {
		return "command"
	}
	return cmd.Argv[0]
}

// Lstat describes a path without following a final link.
func (s *Shadow) Lstat(p string) (FileInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.describe(p, false)
}

// Stat describes what a path leads to, through pretended links too.
func (s *Shadow) Stat(p string) (FileInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.describe(p, true)
}

func (s *Shadow) describe(p string, follow bool) (FileInfo, error) {
	_, info, err := s.find(p, follow)
	if err != nil {
		return FileInfo{}, err
	}
	info.Path = p
	return info, nil
}

// Open reads a regular file.
func (s *Shadow) Open(p string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, info, err := s.find(p, true)
	if err != nil {
		return nil, err
	}
	if info.Type == Directory {
		return nil, &fs.PathError{Op: "read", Path: p, Err: syscall.EISDIR}
	}
	if n := s.nodes[at]; n != nil {
		return n.content.open(s.base)
	}
	below, _ := s.below(at)
	return s.base.Open(below)
}

// ReadDir lists a directory: the host's entries and the pretended ones.
func (s *Shadow) ReadDir(p string) ([]FileInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, info, err := s.find(p, true)
	if err != nil {
		return nil, err
	}
	if info.Type != Directory {
		return nil, &fs.PathError{Op: "readdir", Path: p, Err: syscall.ENOTDIR}
	}
	if reason, ok := s.uncertain(path.Join(at, "x")); ok {
		return nil, Unknownf("what is in %s: %s", p, reason)
	}
	var out []FileInfo
	if below, ok := s.below(at); ok {
		list, err := s.base.ReadDir(below)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			name := path.Base(e.Path)
			if s.nodes[path.Join(at, name)] == nil {
				e.Path = path.Join(p, name)
				out = append(out, e)
			}
		}
	}
	for q, n := range s.nodes {
		if n.unknown != "" && path.Dir(q) == at && q != at {
			return nil, Unknownf("what is in %s: %s", p, n.unknown)
		}
		if path.Dir(q) == at && q != at && !n.gone {
			info := n.info
			info.Path = path.Join(p, path.Base(q))
			out = append(out, info)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out, nil
}

// find walks p through pretended and real links to its physical path. With
// follow false a final link is not followed.
func (s *Shadow) find(p string, follow bool) (at string, info FileInfo, err error) {
	if !path.IsAbs(p) {
		return "", info, fmt.Errorf("the path %q is not absolute", p)
	}
	todo := strings.Split(strings.Trim(path.Clean(p), "/"), "/")
	at = "/"
	info, err = s.entry("/")
	for hops := 0; len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		if name == "" || name == "." {
			continue
		}
		if name == ".." {
			at = path.Dir(at)
			info, err = s.entry(at)
			continue
		}
		at = path.Join(at, name)
		info, err = s.entry(at)
		if _, unknown := IsUnknown(err); unknown && len(todo) > 0 {
			continue // below it something may be pretended
		}
		if err != nil {
			return at, info, named(err, p)
		}
		switch {
		case info.Type == Link && (follow || len(todo) > 0):
			if hops++; hops > 40 {
				return at, info, &fs.PathError{Op: "stat", Path: p, Err: syscall.ELOOP}
			}
			todo = append(strings.Split(path.Clean(info.Target), "/"), todo...)
			if at = path.Dir(at); path.IsAbs(info.Target) {
				at = "/"
			}
			info, err = s.entry(at)
		case info.Type != Directory && len(todo) > 0:
			return at, info, &fs.PathError{Op: "stat", Path: p, Err: fmt.Errorf("%w (%w)", syscall.ENOTDIR, fs.ErrNotExist)}
		}
	}
	return at, info, named(err, p)
}

// named puts the path that was asked for into a "not there".
func named(err error, p string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "stat", Path: p, Err: syscall.ENOENT}
	}
	return err
}

// entry describes one physical path.
func (s *Shadow) entry(at string) (FileInfo, error) {
	if n := s.nodes[at]; n != nil && n.unknown == "" && !n.gone {
		return n.info, nil
	}
	err := error(&fs.PathError{Op: "stat", Path: at, Err: syscall.ENOENT})
	if below, ok := s.below(at); ok {
		var info FileInfo
		if info, err = s.base.Lstat(below); err == nil {
			return info, nil
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return FileInfo{}, err
	}
	if reason, ok := s.uncertain(at); ok {
		return FileInfo{}, Unknownf("whether %s is there: %s", at, reason)
	}
	return FileInfo{}, err
}

// below gives the path of the host that shows through at a physical path; ok is
// false when the shadow hides the host there.
func (s *Shadow) below(at string) (string, bool) {
	rest := ""
	for dir := at; ; dir = path.Dir(dir) {
		if n := s.nodes[dir]; n != nil {
			if n.gone || n.unknown != "" || n.info.Type != Directory || n.origin == "" {
				return "", false
			}
			return path.Join(n.origin, rest), true
		}
		if dir == "/" {
			return at, true
		}
		rest = path.Join(path.Base(dir), rest)
	}
}

// lastPending is the latest pending note that concerns a physical path.
func (s *Shadow) lastPending(at string) pendingNote {
	for _, p := range slices.Backward(s.pending) {
		if p.anywhere || shippable(at) {
			return p
		}
	}
	return pendingNote{}
}

// uncertain reports whether something pending may bring what is missing at a
// physical path, and why.
func (s *Shadow) uncertain(at string) (string, bool) {
	last := s.lastPending(at)
	for dir := at; dir != "/"; dir = path.Dir(dir) {
		n := s.nodes[dir]
		switch {
		case n == nil:
		case n.unknown != "":
			return n.unknown, true
		case (n.gone || n.origin == "") && n.since > last.at:
			return "", false
		}
	}
	return last.reason, last.reason != ""
}
