package accounts

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

func TestLookup(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddFile("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n# a comment\nbroken:x\n+nis::::::\nanna:x:1000:1001:Anna,,,:/home/anna:/bin/zsh\n", 0o644)
	h.AddFile("/etc/group", "root:x:0:\nadm:x:4:syslog,anna\nsudo:x:27:anna\nanna:x:1001:\n", 0o644)
	ctx := t.Context()
	u, ok, err := LookupUser(ctx, h, "anna")
	if err != nil || !ok || u != (User{Name: "anna", UID: 1000, GID: 1001, Comment: "Anna,,,", Home: "/home/anna", Shell: "/bin/zsh", Local: true}) {
		t.Errorf("%+v, %v, %v", u, ok, err)
	}
	if u, ok, _ := UserByID(ctx, h, 1000); !ok || u.Name != "anna" {
		t.Errorf("%+v", u)
	}
	if _, ok, err := LookupUser(ctx, h, "broken"); ok || err != nil {
		t.Errorf("a broken line is a user: %v", err)
	}
	if g, ok, _ := GroupByID(ctx, h, 4); !ok || !slices.Equal(g.Members, []string{"syslog", "anna"}) {
		t.Errorf("%+v", g)
	}
	if groups, err := GroupsOf(h, "anna"); err != nil || !slices.Equal(groups, []string{"adm", "sudo"}) {
		t.Errorf("%v, %v", groups, err)
	}
}

func TestOtherSources(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddFile("/etc/nsswitch.conf", "# x\npasswd: files sss\ngroup: files [NOTFOUND=return]\n", 0o644)
	h.AddCommand([]string{"getent", "passwd", "ldap"}, host.Output{Stdout: []byte("ldap:*:9000:9000::/home/ldap:/bin/sh\n")}, nil)
	h.AddCommand([]string{"getent", "passwd", "odd"}, host.Output{RC: 3, Stderr: []byte("broken")}, nil)
	u, ok, err := LookupUser(t.Context(), h, "ldap")
	if err != nil || !ok || u.UID != 9000 || u.Local {
		t.Errorf("%+v, %v, %v", u, ok, err)
	}
	if _, ok, err := LookupUser(t.Context(), h, "nope"); ok || err != nil {
		t.Errorf("nope: %v, %v", ok, err)
	}
	if _, _, err := LookupUser(t.Context(), h, "odd"); err == nil {
		t.Error("a failed question means: not there")
	}
	h.AddMissing("getent")
	if _, ok, err := LookupUser(t.Context(), h, "nope"); ok || err != nil {
		t.Errorf("without getent: %v, %v", ok, err)
	}
	if _, ok, err := LookupGroup(t.Context(), h, "nope"); ok || err != nil {
		t.Errorf("groups have files only: %v, %v", ok, err)
	}
}

// What cannot be read is no absence, and a removed user is gone although
// getent still knows it.
func TestEvidence(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddUser("anna", 1000, 1000)
	h.AddFile("/etc/nsswitch.conf", "passwd: files systemd\n", 0o644)
	h.AddCommand([]string{"getent", "passwd", "anna"}, host.Output{Stdout: []byte("anna:x:1000:1000::/home/anna:/bin/sh\n")}, nil)
	if _, _, err := LookupUser(t.Context(), unreadable{h}, "anna"); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
	w := host.NewShadow(h)
	if err := RemoveUser(t.Context(), w, "anna", false, false); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := LookupUser(t.Context(), w, "anna"); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	host.NotePending(w, "p", "package p may ship it")
	_, _, err := LookupUser(t.Context(), w, "www")
	if _, unknown := host.IsUnknown(err); !unknown {
		t.Errorf("%v", err)
	}
}

var errBroken = errors.New("disk is broken")

type unreadable struct{ host.Reader }

func (unreadable) Open(string) (io.ReadCloser, error) { return nil, errBroken }

func TestFreeID(t *testing.T) {
	for name, c := range map[string]struct {
		passwd string
		system bool
		want   int
	}{
		"first":             {"", false, 1000},
		"after the highest": {"a:x:1000:0::/:\nb:x:1005:0::/:\n", false, 1006},
		"first system":      {"", true, 999},
		"below the lowest":  {"a:x:999:0::/:\nb:x:990:0::/:\n", true, 989},
		"a gap":             {"a:x:1000:0::/:\nb:x:1009:0::/:\n", false, 1001},
	} {
		h := modulestest.NewHost(t)
		h.AddFile("/etc/passwd", c.passwd, 0o644)
		max := "60000"
		if name == "a gap" {
			max = "1009"
		}
		h.AddFile("/etc/login.defs", "# x\nUID_MIN\t1000\nUID_MAX "+max+"\n", 0o644)
		if got, err := freeID(h, passwdFile, "UID", c.system); err != nil || got != c.want {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}

// Lines that are not understood survive every edit.
func FuzzTable(f *testing.F) {
	f.Add("root:x:0:0:root:/root:/bin/sh\n#c\n+::::::\n\nodd\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\r\x00") {
			return
		}
		h := modulestest.NewHost(t)
		h.AddFile(passwdFile, text, 0o644)
		tb, err := load(h, passwdFile)
		if err != nil {
			t.Fatal(err)
		}
		before := len(tb.lines)
		tb.put("new user", []string{"new user", "x", "1", "1", "", "/", "/"})
		tb.remove("new user")
		if len(tb.lines) != before || before > 0 && strings.Join(tb.lines, "\n") != strings.TrimSuffix(text, "\n") {
			t.Errorf("%q became %q", text, tb.lines)
		}
	})
}
