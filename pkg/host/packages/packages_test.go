package packages

import (
	"os"
	"reflect"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

const status = `Package: dpkg
Status: install ok installed
Architecture: amd64
Version: 1.21.22

Package: nginx
Status: install ok installed
Architecture: amd64
Version: 1.22.1-9
Provides: httpd, httpd-cgi (= 1)
Description: server
 Version: 9 is not a field

Package: old
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: half
Status: install reqreinst half-installed
Architecture: amd64
Version: 2

Package: held
Status: hold ok installed
Architecture: all
Version: 3

Package: foreign
Status: install ok installed
Architecture: i386
Version: 4
`

func fakeHost(t *testing.T) *modulestest.Host {
	h := modulestest.NewHost(t)
	h.AddFile(statusFile, status, 0o644)
	h.AddFile(archFile, "amd64\ni386\n", 0o644)
	h.AddFile(extendedFile, "Package: held\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: nginx\nArchitecture: amd64\nAuto-Installed: 0\n", 0o644)
	return h
}

func TestDatabase(t *testing.T) {
	d, err := Read(fakeHost(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name                      string
		version                   string
		installed, leftover, auto bool
	}{
		{"nginx", "1.22.1-9", true, false, false},
		{"nginx:amd64", "1.22.1-9", true, false, false},
		{"nginx:i386", "", false, false, false},
		{"old", "", false, true, false},
		{"half", "", false, true, false},
		{"held", "3", true, false, true},
		{"foreign", "", false, false, false},
		{"foreign:i386", "4", true, false, false},
		{"foreign:any", "4", true, false, false},
		{"nope", "", false, false, false},
	} {
		p := d.Get(c.name)
		if p.Version != c.version || p.Installed != c.installed || p.Leftover != c.leftover || p.Auto != c.auto {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	if p, ok := d.Provider("httpd"); !ok || p.Name != "nginx" {
		t.Errorf("httpd: %+v, %v", p, ok)
	}
	if _, ok := d.Provider("mta"); ok {
		t.Error("mta is provided")
	}
}

func TestSimulationIsRead(t *testing.T) {
	got := parse(`NOTE: This is only a simulation!
Inst libfoo [1.0] (1.1 Debian:12.7/stable [amd64])
Inst foo (2:3.4~a-1 Debian:12.7/stable, Debian-Security:12/stable-security [amd64]) []
Inst bar:i386 [1] (2 x [i386])
Conf foo (2:3.4~a-1 Debian:12.7/stable [amd64])
Remv baz [1.0]
Purg qux [0.9] [x:amd64 ]
Purg rest []
`)
	want := []Item{
		{Name: "libfoo", Old: "1.0", New: "1.1"}, {Name: "foo", New: "2:3.4~a-1"}, {Name: "bar:i386", Old: "1", New: "2"},
		{Name: "baz", Old: "1.0"}, {Name: "qux", Old: "0.9", Purge: true}, {Name: "rest", Purge: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestPolicyIsRead(t *testing.T) {
	got := policies(`nginx:
  Installed: 1.22.1-9
  Candidate: 1.22.1-9+deb12u1
  Version table:
     1.22.1-9+deb12u1 500
        500 http://mirror.example/debian bookworm/main amd64 Packages
 *** 1.22.1-9 100
        100 /var/lib/dpkg/status
mta:
  Installed: (none)
  Candidate: (none)
  Version table:
`)
	want := map[string]Candidate{"nginx": {Version: "1.22.1-9+deb12u1", Versions: []string{"1.22.1-9+deb12u1", "1.22.1-9"}}, "mta": {}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestMatchVersion(t *testing.T) {
	for _, c := range []struct {
		pattern, version string
		want             bool
	}{
		{"1.2", "1.2", true}, {"1.2", "1.2-1", false}, {"1.2*", "1.2-1", true}, {"2:1.*", "2:1.9/x", true},
		{"1.?", "1.2", true}, {"1.?", "112", false}, {"1.[0-3]", "1.2", true}, {"1.[0-3]", "1.4", false}, {"1.[", "1.", false},
	} {
		if got := MatchVersion(c.pattern, c.version); got != c.want {
			t.Errorf("%s fits %s: %v", c.version, c.pattern, got)
		}
	}
}

// A pretended transaction shows in the database, what it may bring is unknown,
// and what a removed package had is gone.
func TestPretend(t *testing.T) {
	h := fakeHost(t)
	h.AddFile("/usr/sbin/nginx", "x", 0o755)
	h.AddFile("/etc/nginx/nginx.conf", "x", 0o644)
	h.AddFile("/var/lib/dpkg/info/nginx.list", "/.\n/usr/sbin\n/usr/sbin/nginx\n/etc/nginx/nginx.conf\n", 0o644)
	h.AddFile("/var/lib/dpkg/info/nginx.conffiles", "/etc/nginx/nginx.conf\n", 0o644)
	w := host.NewShadow(h)
	for _, it := range []Item{{Name: "nginx", Old: "1.22.1-9"}, {Name: "foo", New: "7"}} {
		if err := it.pretend(w); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Read(w)
	if err != nil {
		t.Fatal(err)
	}
	if p := d.Get("nginx"); p.Installed || !p.Leftover {
		t.Errorf("nginx: %+v", p)
	}
	if p := d.Get("foo"); !p.Installed || p.Version != "7" || !p.Pretended {
		t.Errorf("foo: %+v", p)
	}
	if _, ok := d.Provider("httpd"); ok {
		t.Error("the removed package still provides")
	}
	if there, err := host.Exists(w, "/usr/sbin/nginx"); there {
		t.Errorf("the program is still there: %v", err)
	}
	if there, err := host.Exists(w, "/etc/nginx/nginx.conf"); !there {
		t.Errorf("the configuration went: %v", err)
	}
	if _, err := host.Exists(w, "/etc/foo.conf"); err == nil {
		t.Error("it is known what foo brings")
	}
}

func BenchmarkRead(b *testing.B) {
	if _, err := os.Stat(statusFile); err != nil {
		b.Skip("no dpkg here")
	}
	for b.Loop() {
		if _, err := Read(host.NewReal()); err != nil {
			b.Fatal(err)
		}
	}
}
