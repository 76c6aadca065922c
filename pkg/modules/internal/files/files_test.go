package files

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

func TestExpand(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddUser("deploy", 1000, 1000)
	env := modules.Env{Environ: []string{"HOME=/root"}}
	for in, want := range map[string]string{
		"/a/../b": "/b", "/a/": "/a/", "/": "/", "~": "/root", "~/x/": "/root/x/", "~deploy/.ssh": "/home/deploy/.ssh", "/a/~/b": "/a/~/b",
	} {
		if got, err := Expand(t.Context(), env, h, in); err != nil || strings.TrimSuffix(got, "/") != strings.TrimSuffix(want, "/") || want == "/a/" && got != want {
			t.Errorf("%s: %q %v, want %q", in, got, err, want)
		}
	}
	for in, says := range map[string]string{"a/b": "relative", "": "relative", "~nobody-here/x": "no user nobody-here"} {
		if got, err := Expand(t.Context(), env, h, in); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %q %v", in, got, err)
		}
	}
}

func TestFollow(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddFile("/etc/real/f", "", 0o644)
	h.AddLink("real/f", "/etc/one")
	h.AddLink("/etc/one", "/opt/two")
	h.AddLink("../nowhere", "/opt/dangling")
	h.AddLink("b", "/opt/a")
	h.AddLink("a", "/opt/b")
	for in, want := range map[string]string{"/opt/two": "/etc/real/f", "/etc/real/f": "/etc/real/f", "/opt/dangling": "/nowhere", "/none": "/none"} {
		if got, err := Follow(h, in); err != nil || got != want {
			t.Errorf("%s: %q %v", in, got, err)
		}
	}
	if _, err := Follow(h, "/opt/a"); err == nil {
		t.Error("a circle of links has no end")
	}
}

func TestOwnership(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddUser("app", 700, 701)
	h.AddGroup("app", 701)
	o, err := Attrs{Owner: "700", Group: "app"}.Ownership(t.Context(), h)
	if err != nil || o.UID != 700 || o.Owner != "app" || o.GID != 701 || o.Group != "app" {
		t.Errorf("%+v %v", o, err)
	}
	o, err = Attrs{Owner: "4711"}.Ownership(t.Context(), h)
	if err != nil || o.UID != 4711 || o.Owner != "4711" || o.GID != -1 {
		t.Errorf("a number needs no name: %+v %v", o, err)
	}
	if _, err = (Attrs{Owner: "nobody-here"}).Ownership(t.Context(), h); err == nil {
		t.Error("a missing user was accepted")
	}
}

func TestTreeItemsCircle(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(".", filepath.Join(dir, "again")); err != nil {
		t.Fatal(err)
	}
	ctl := &modulestest.Controller{}
	if _, err := TreeItems(ctl, dir, "", true); err == nil || !strings.Contains(err.Error(), "leads back") {
		t.Errorf("got %v", err)
	}
	items, err := TreeItems(ctl, dir, "top", false)
	if err != nil || len(items) != 2 || items[1].Target != "." || items[1].Path != "top/again" {
		t.Errorf("%+v %v", items, err)
	}
	if err := os.Symlink("none", filepath.Join(dir, "broken")); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, "again"))
	if _, err := TreeItems(ctl, dir, "", true); err == nil || !strings.Contains(err.Error(), "leads nowhere") {
		t.Errorf("got %v", err)
	}
}

func TestDiffText(t *testing.T) {
	for in, want := range map[string]string{"text\n": "text\n", "a\x00b": "(3 bytes, binary)\n", "\xff": "(1 bytes, binary)\n", strings.Repeat("x", 104449): "(104449 bytes, too large to show)\n"} {
		if got := DiffText([]byte(in)); got != want {
			t.Errorf("%.20q: %.40q", in, got)
		}
	}
}

func TestExpandMatch(t *testing.T) {
	re := regexp.MustCompile(`(?P<k>\w+)=(\w+)(x)?`)
	src := []byte("key=val")
	for in, want := range map[string]string{
		`\1`: "key", `\g<k>`: "key", `\g<2>.\2`: "val.val", `\3`: "", `\0`: "key=val", `\n\t\\`: "\n\t\\", `\d`: `\d`, `x\`: `x\`, `$1 ${k}`: "$1 ${k}",
	} {
		if got, err := ExpandMatch(nil, in, re, src, re.FindSubmatchIndex(src)); err != nil || string(got) != want {
			t.Errorf("%s: %q %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{`\4`, `\g<none>`} {
		if got, err := ExpandMatch(nil, in, re, src, re.FindSubmatchIndex(src)); err == nil {
			t.Errorf("%s: %q", in, got)
		}
	}
}

func TestCompile(t *testing.T) {
	for in, matches := range map[string]string{`a\Z`: "ba", `a\\Z`: `a\Z`, `[\d]+$`: "12"} {
		if re, err := Compile(in); err != nil || !re.MatchString(matches) {
			t.Errorf("%s: %v", in, err)
		}
	}
	for _, in := range []string{"a(?=b)", "(?<!a)b", "(", `(a)\1`} {
		if _, err := Compile(in); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(in, `\1`)) {
			t.Errorf("%s: %v", in, err)
		}
	}
}
