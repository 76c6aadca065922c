package host_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// seed fills a directory with a little of everything.
func seed(t testing.TB, dir string) {
	t.Helper()
	r := host.NewReal()
	at := func(p string) string { return filepath.Join(dir, p) }
	for _, d := range []string{"a", "a/b", "a/b/c", "d"} {
		if err := r.Mkdir(at(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"a/f", "a/b/f", "a/b/c/g", "d/f"} {
		if err := r.WriteFile(at(f), strings.NewReader("content of "+f), host.Attrs{}); err != nil {
			t.Fatal(err)
		}
	}
	for p, target := range map[string]string{"a/l": "b/f", "ld": "a/b", "d/up": "../a", "dangling": "nowhere", "loop": "loop"} {
		if err := r.Symlink(target, at(p)); err != nil {
			t.Fatal(err)
		}
	}
}

// look describes everything below dir, without times, owners of links and the
// sizes of directories.
func look(r host.Reader, dir string) string {
	var b strings.Builder
	var walk func(p string)
	walk = func(p string) {
		list, err := r.ReadDir(p)
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", p, errors.Is(err, fs.ErrNotExist))
			return
		}
		for _, e := range list {
			fmt.Fprintf(&b, "%s %s %o %d:%d -> %q", strings.TrimPrefix(e.Path, dir), e.Type, e.Mode, e.UID, e.GID, e.Target)
			if e.Type == host.File {
				c, err := host.ReadFile(r, e.Path)
				fmt.Fprintf(&b, " %q %v nlink %d", c, err, e.Nlink)
			}
			if st, err := r.Stat(e.Path); err == nil {
				fmt.Fprintf(&b, " leads to %s %o", st.Type, st.Mode)
			} else {
				fmt.Fprintf(&b, " leads nowhere (%v)", errors.Is(err, fs.ErrNotExist))
			}
			b.WriteByte('\n')
			if e.Type == host.Directory {
				walk(e.Path)
			}
		}
	}
	walk(dir)
	return b.String()
}

// step does one random write on w below dir and reports whether it failed, as
// text that is the same for equal behaviour.
func step(w host.Writer, dir string, seed uint64) string {
	rnd := rand.New(rand.NewPCG(seed, 1))
	names := []string{"a", "b", "f", "l", "ld", "d", "up", "new", "dangling"}
	pick := func() string {
		p := dir
		for range 1 + rnd.IntN(3) {
			p = filepath.Join(p, names[rnd.IntN(len(names))])
		}
		return p
	}
	p, q, mode := pick(), pick(), []uint32{0o600, 0o755, 0o2775, 0o4755}[rnd.IntN(4)]
	var op string
	var err error
	switch rnd.IntN(9) {
	case 0, 1:
		op, err = "write "+p, w.WriteFile(p, strings.NewReader(fmt.Sprint("c", seed)), host.Attrs{})
	case 2:
		op, err = "mkdir "+p, w.Mkdir(p, mode)
	case 3:
		op, err = "symlink "+p, w.Symlink("../"+names[rnd.IntN(len(names))], p)
	case 4:
		op, err = "link "+p+" "+q, w.Link(p, q)
	case 5:
		op, err = fmt.Sprintf("chmod %o %s", mode, p), w.Chmod(p, mode)
	case 6:
		op, err = "rename "+p+" "+q, w.Rename(p, q)
	case 7:
		op, err = "remove "+p, w.Remove(p)
	case 8:
		m := mode
		op, err = "write with mode "+p, w.WriteFile(p, strings.NewReader("m"), host.Attrs{Mode: &m})
	}
	return fmt.Sprintf("%s failed=%v", strings.ReplaceAll(op, dir, ""), err != nil)
}

// The shadow behaves as the real host does, over many random writes, and
// leaves the host below alone.
func TestShadowEqualsReal(t *testing.T) {
	rounds := uint64(60)
	if testing.Short() {
		rounds = 20
	}
	for round := range rounds {
		compareRound(t, round)
	}
}

func FuzzShadowEqualsReal(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(compareRound)
}

func compareRound(t *testing.T, round uint64) {
	t.Helper()
	realDir, baseDir := t.TempDir(), t.TempDir()
	seed(t, realDir)
	seed(t, baseDir)
	before := look(host.NewReal(), baseDir)
	this, shadow := host.NewReal(), host.NewShadow(host.NewReal())
	var log []string
	for i := range uint64(12) {
		n := round<<16 + i
		got, want := step(shadow, baseDir, n), step(this, realDir, n)
		log = append(log, want)
		if got != want {
			t.Fatalf("round %d: shadow says %q, real host %q\n%s", round, got, want, strings.Join(log, "\n"))
		}
		if got, want := look(shadow, baseDir), look(this, realDir); got != want {
			t.Fatalf("round %d: after\n%s\nthe shadow has\n%s\nthe real host\n%s", round, strings.Join(log, "\n"), got, want)
		}
	}
	if after := look(host.NewReal(), baseDir); after != before {
		t.Fatalf("round %d: the shadow wrote on the host:\n%s", round, after)
	}
}

func TestShadowPending(t *testing.T) {
	dir := "/etc/shadow-test-nothing-here"
	s := host.NewShadow(host.NewReal())
	missing := func(p string) {
		t.Helper()
		if _, err := s.Stat(p); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v; want not there", p, err)
		}
	}
	unknown := func(p string) {
		t.Helper()
		if reason, ok := host.IsUnknown(second(s.Stat(p))); !ok || !strings.Contains(reason, "nginx is not installed") {
			t.Errorf("%s: %v; want unknown", p, second(s.Stat(p)))
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	missing(dir)
	if err := s.WriteFile(dir+"/f", strings.NewReader(""), host.Attrs{}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("wrote into a missing directory: %v", err)
	}
	must(s.Mkdir("/etc/made-before", 0o755))
	host.NotePending(s, "nginx", "package nginx is not installed yet and may ship it")
	unknown(dir)
	unknown(dir + "/conf.d")
	unknown("/etc/made-before/f")
	missing("/root/no-such-thing")
	missing("/usr/local/etc/x")
	if info, err := s.Stat("/etc/passwd"); err != nil || info.Type != host.File {
		t.Fatalf("what is there is known: %v", err)
	}
	if _, ok := host.IsUnknown(second(s.ReadDir("/etc"))); !ok {
		t.Error("the list of /etc is not complete while nginx is pending")
	}
	// Writing into it is allowed, and the file is known then, unlike its
	// neighbours.
	must(s.WriteFile(dir+"/conf.d/f", strings.NewReader("x"), host.Attrs{}))
	if b, err := host.ReadFile(s, dir+"/conf.d/f"); err != nil || string(b) != "x" {
		t.Fatalf("%q %v", b, err)
	}
	unknown(dir + "/conf.d/g")
	unknown(dir + "/conf.d")
	// Made although it may be there already: its entries stay unknown.
	must(s.Mkdir(dir, 0o700))
	unknown(dir + "/g")
	must(s.Symlink("/usr/share/nothing-here", dir+"/l"))
	unknown(dir + "/l")
	// What is removed after the note is gone for sure.
	must(s.Remove(dir + "/g"))
	missing(dir + "/g")
	must(s.Mkdir(dir+"/g", 0o755))
	missing(dir + "/g/x")
	if list, err := s.ReadDir(dir + "/g"); err != nil || len(list) != 0 {
		t.Errorf("a new directory is empty: %v %v", list, err)
	}
	// Commands.
	_, err := s.Query(t.Context(), host.Command{Argv: []string{"no-such-program", "-t"}})
	if reason, ok := host.IsUnknown(err); !ok || !strings.Contains(reason, "no-such-program") {
		t.Errorf("query: %v", err)
	}
	host.NotePendingAnywhere(s, "make install", "nginx is not installed by make yet")
	unknown("/usr/local/etc/x")
	host.NotePending(s, "make install", "")
	missing("/usr/local/etc/x")
	host.NotePending(s, "nginx", "")
	missing(dir + "/conf.d/g")
	if _, ok := host.Pending(s); ok {
		t.Error("still pending")
	}
}

func TestShadowUnknownPath(t *testing.T) {
	dir := t.TempDir()
	seed(t, dir)
	s := host.NewShadow(host.NewReal())
	host.NoteUnknownPath(s, dir+"/a/b", "an archive is unpacked there")
	for _, p := range []string{"/a/b", "/a/b/f", "/ld/c", "/a/l"} {
		if reason, ok := host.IsUnknown(second(s.Stat(dir + p))); !ok || !strings.Contains(reason, "archive") {
			t.Errorf("%s: %v", p, second(s.Stat(dir+p)))
		}
	}
	if _, ok := host.IsUnknown(second(s.ReadDir(dir + "/a"))); !ok {
		t.Error("the type of an entry is unknown, and so is the list")
	}
	if _, err := s.Stat(dir + "/a/f"); err != nil {
		t.Error(err)
	}
	if err := s.WriteFile(dir+"/a/b/f", strings.NewReader("known"), host.Attrs{}); err != nil {
		t.Fatal(err)
	}
	if b, err := host.ReadFile(s, dir+"/a/b/f"); err != nil || string(b) != "known" {
		t.Errorf("%q %v", b, err)
	}
	if _, ok := host.IsUnknown(second(s.Stat(dir + "/a/b/g"))); !ok {
		t.Error("its neighbours stay unknown")
	}
	if err := s.Remove(dir + "/a/b"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stat(dir + "/a/b/g"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed for sure: %v", err)
	}
	if !host.Pretends(s) || host.Pretends(host.NewReal()) {
		t.Error("Pretends")
	}
}

func second[T any](_ T, err error) error { return err }

func TestShadowRun(t *testing.T) {
	s, ctx := host.NewShadow(host.NewReal()), t.Context()
	if s.Pretended() {
		t.Fatal("nothing was pretended yet")
	}
	file := filepath.Join(t.TempDir(), "f")
	if _, err := s.Run(ctx, host.Command{Argv: []string{"touch", file}}); func() bool { _, ok := host.IsUnknown(err); return !ok }() {
		t.Fatalf("without Pretend: %v", err)
	}
	out, err := s.Run(ctx, host.Command{Argv: []string{"touch", file}, Pretend: func(w host.Writer) error {
		w.Note("unit", "nginx", "active")
		return w.WriteFile(file, strings.NewReader(""), host.Attrs{})
	}})
	if err != nil || out.RC != 0 {
		t.Fatal(err)
	}
	if v, ok := s.Noted("unit", "nginx"); !ok || v != "active" {
		t.Fatalf("noted %v", v)
	}
	if _, err := s.Stat(file); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("it was run: %v", err)
	}
	if !s.Pretended() {
		t.Fatal("something was pretended")
	}
	if out, err := s.Query(ctx, host.Command{Argv: []string{"echo", "hi"}}); err != nil || string(out.Stdout) != "hi\n" {
		t.Fatalf("%q %v", out.Stdout, err)
	}
}

func TestShadowBigFile(t *testing.T) {
	s, path := host.NewShadow(host.NewReal()), filepath.Join(t.TempDir(), "big")
	big := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	if err := s.WriteFile(path, bytes.NewReader(big), host.Attrs{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		f, err := s.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		n, err := io.Copy(h, f)
		f.Close()
		if want := sha256.Sum256(big); err != nil || n != int64(len(big)) || !bytes.Equal(h.Sum(nil), want[:]) {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
}

func TestShadowConcurrently(t *testing.T) {
	s, dir := host.NewShadow(host.NewReal()), t.TempDir()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			p := filepath.Join(dir, fmt.Sprint(i))
			for range 50 {
				s.WriteFile(p, strings.NewReader("x"), host.Attrs{})
				s.ReadDir(dir)
				s.Rename(p, p+"r")
				host.ReadFile(s, p+"r")
				s.Note("k", p, i)
			}
		})
	}
	wg.Wait()
	if list, err := s.ReadDir(dir); err != nil || len(list) != 8 {
		t.Fatalf("%d entries, %v", len(list), err)
	}
}
