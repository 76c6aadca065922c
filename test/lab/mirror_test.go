package lab

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestFindMirror(t *testing.T) {
	const thirdParty = "deb [signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.test/apt bookworm main\n"
	cases := map[string]struct {
		list, deb822, env string
		want              mirror
		err               string
	}{
		"one-line format, third party first": {
			list: thirdParty + "deb http://mirror.test/debian bookworm main contrib\n" +
				"deb http://mirror.test/debian bookworm-updates main\n" +
				"deb http://mirror.test/debian-security bookworm-security main # comment\n",
			want: mirror{"http://mirror.test/debian", true, "http://mirror.test/debian-security"},
		},
		"deb822 format": {
			deb822: "Types: deb deb-src\n# comment\nURIs: https://a.test/debian\nSuites: trixie trixie-updates\nComponents: main\n" +
				"Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n" +
				"Types: deb\nURIs: https://a.test/debian-security\nSuites: trixie-security\nComponents: main\n",
			want: mirror{"https://a.test/debian", true, "https://a.test/debian-security"},
		},
		"disabled stanza": {
			deb822: "Types: deb\nEnabled: no\nURIs: https://a.test/debian\nSuites: trixie\nComponents: main\n",
			err:    MirrorEnv,
		},
		"the surer one": {
			list:   "deb http://other.test/packages bookworm main\n",
			deb822: "Types: deb\nURIs: https://a.test/debian\nSuites: bookworm\nComponents: main\n",
			want:   mirror{url: "https://a.test/debian"},
		},
		"named by hand":     {list: thirdParty, env: "http://own.test/debian", want: mirror{url: "http://own.test/debian"}},
		"only third party":  {list: thirdParty, err: MirrorEnv},
		"no sources at all": {err: MirrorEnv},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{
				"etc/apt/sources.list":               {Data: []byte(c.list)},
				"etc/apt/sources.list.d/own.sources": {Data: []byte(c.deb822)},
			}
			got, err := findMirror(root, func(string) string { return c.env })
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("findMirror = %+v, %v, want an error with %q", got, err, c.err)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("findMirror = %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestMirrorLines(t *testing.T) {
	m := mirror{"http://m.test/debian", true, "http://m.test/debian-security"}
	if got := m.lines("sid"); got != "deb http://m.test/debian sid main\n" {
		t.Errorf("sid: %q", got)
	}
	if got := m.lines("bookworm"); strings.Count(got, "\n") != 3 || !strings.Contains(got, "security bookworm-security main") {
		t.Errorf("bookworm: %q", got)
	}
}

func TestAptSettings(t *testing.T) {
	dump := `APT "";
Acquire "";
Acquire::http "";
Acquire::http::Proxy "http://proxy.test:3128";
Acquire::Check-Valid-Until "false";
Acquire::https::CaInfo "/etc/ssl/own.pem";
Acquire::IndexTargets "";
DPkg::Post-Invoke:: "rm -rf /var/cache/apt/archives";
`
	env := map[string]string{"http_proxy": "http://unused.test", "HTTPS_PROXY": "http://secure.test"}
	got := aptSettings(dump, func(name string) string { return env[name] })
	want := `Acquire::http::Proxy "http://proxy.test:3128";
Acquire::Check-Valid-Until "false";
Acquire::https::CaInfo "/etc/ssl/own.pem";
Acquire::https::Proxy "http://secure.test";
`
	if got != want {
		t.Errorf("aptSettings =\n%swant\n%s", got, want)
	}
	if m := copiedByApt.FindAllStringSubmatch(got, -1); len(m) != 1 || m[0][1] != "/etc/ssl/own.pem" {
		t.Errorf("files to copy: %v", m)
	}
}
