package sumologic_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/test/lab"
	"github.com/foobar-play/foobar-play/test/play"
	"github.com/foobar-play/foobar-play/test/sumologic"
)

// converge runs dry and for real, each twice, and expects that the second time
// nothing changes.
func (s *site) converge(t *testing.T, args ...string) {
	t.Helper()
	s.run(t, append([]string{"--check"}, args...)...).Must(t, 0)
	s.run(t, args...).Must(t, 0)
	quiet(t, s.run(t, args...))
	quiet(t, s.run(t, append([]string{"--check"}, args...)...))
}

// deb makes a package in a folder, and returns its path.
func deb(t *testing.T, folder, name string, files map[string]string, modes map[string]os.FileMode) string {
	t.Helper()
	tree := t.TempDir()
	play.Write(t, tree, "DEBIAN/control", fmt.Sprintf("Package: %s\nVersion: 1.0\nArchitecture: all\nMaintainer: lab\nDescription: a stand-in\n", name))
	for file, content := range files {
		path := play.Write(t, tree, file, content)
		if err := os.Chmod(path, modes[file]|0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(folder, name+".deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, path).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	return path
}

func sum(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256(content)
	return hex.EncodeToString(h[:])
}

// TestModes tries the other ways to Sumo Logic, and other ways to get the
// collector to the server.
func TestModes(t *testing.T) {
	s := newSite(t, lab.Config{Hosts: []string{"srv01"}})
	t.Run("token, downloaded", s.byToken)
	t.Run("packaged", s.packaged)
	t.Run("installed collector", s.installed)
}

// byToken registers with a token; the credentials are kept, so that a restart
// registers nobody again.
func (s *site) byToken(t *testing.T) {
	vars := play.Write(t, t.TempDir(), "vars.yml", fmt.Sprintf(`
sumologic_mode: otel_sumo
sumologic_install_from: download
sumologic_binary_url: %s/files/otelcol
sumologic_checksum: sha256:%s
sumologic_version: 0.145.0
sumologic_category: foobar/lab/collector
sumologic_ephemeral: true
`, s.Address(), sum(t, s.program)))
	s.converge(t, "-e", "@"+vars)
	s.wait(t, "data with credentials", func() bool {
		for _, p := range s.Posts() {
			if p.Path == "/api/v1/collector/metrics" && p.Host == "srv01" {
				return true
			}
		}
		return false
	})
	s.on(t, "srv01", "systemctl restart otelcol")
	s.wait(t, "a second heartbeat", func() bool { _, beats := s.Registered(); return beats >= 2 })
	all, _ := s.Registered()
	if len(all) != 1 {
		t.Fatalf("it registered %d times", len(all))
	}
	if r := all[0]; r.CollectorName != "srv01" || r.Category != "foobar/lab/collector" || r.Fields["deployment.environment"] != "lab" || !r.Ephemeral || r.Clobber {
		t.Errorf("it registered as %+v", r)
	}
	if got := s.on(t, "srv01", "stat -c '%a %U' /var/lib/otelcol/credentials/* | sort -u"); got != "600 otelcol\n" {
		t.Errorf("the credentials are %s", got)
	}
	if got := s.on(t, "srv01", "grep -rlF -- "+s.token+" /etc /var/lib /tmp /run /root /home /usr/local 2>/dev/null || true"); got != "/etc/otelcol/secrets.env\n" {
		t.Errorf("the token is in %q", got)
	}
	wrong := s.run(t, "-e", "@"+vars, "-e", "sumologic_checksum=sha256:"+strings.Repeat("0", 64)).Must(t, 2)
	if said := touched(t, wrong); !strings.Contains(said, "not the expected "+strings.Repeat("0", 64)) {
		t.Errorf("another file than wanted: %s", said)
	}
}

// packaged takes the collector from a source of packages, the vendor's unit
// included, which ours stands in for.
func (s *site) packaged(t *testing.T) {
	s.on(t, "srv01", "systemctl disable --now otelcol")
	program, err := os.ReadFile(s.program)
	if err != nil {
		t.Fatal(err)
	}
	path := deb(t, t.TempDir(), "otelcol-sumo", map[string]string{
		"usr/local/bin/otelcol-sumo":              string(program),
		"lib/systemd/system/otelcol-sumo.service": "[Service]\nExecStart=/bin/false\n",
	}, map[string]os.FileMode{"usr/local/bin/otelcol-sumo": 0o755})
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"/srv/packages/otelcol-sumo.deb": string(content),
		"/srv/packages/Packages": fmt.Sprintf("Package: otelcol-sumo\nVersion: 1.0\nArchitecture: all\nFilename: ./otelcol-sumo.deb\nSize: %d\nSHA256: %s\nDescription: a stand-in\n",
			len(content), sum(t, path)),
		"/etc/apt/sources.list.d/lab.list": "deb [trusted=yes] file:/srv/packages ./\n",
	} {
		if err := s.Host("srv01").WriteFile(t.Context(), name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.on(t, "srv01", "apt-get update")
	s.Forget()
	s.converge(t, "-e", "sumologic_install_from=package")
	s.wait(t, "data", func() bool { return len(sumologic.Of(s.samples(t), "srv01", "system.cpu.time")) > 0 })
	if got := s.on(t, "srv01", "ps -o user=,args= -C otelcol-sumo"); strings.Join(strings.Fields(got), " ") != "otelcol+ /usr/local/bin/otelcol-sumo --config /etc/otelcol-sumo/config.yaml" {
		t.Errorf("there runs %s", got)
	}
}

// agent stands in for the vendor's installed collector, which cannot be had
// here: like it, it takes the credentials out of its properties once it has
// registered.
const agent = `#!/bin/sh
cd /opt/SumoCollector/config
grep -q '^token=' user.properties && touch ../registered
{ echo "#Mon Nov 23 20:00:00 UTC 2026"; grep -v -e '^#' -e '^token=' -e '^access' user.properties | sed 's/:/\\:/g' | sort -r; } >new
cat new >user.properties; rm new
exec sleep infinity
`

func (s *site) installed(t *testing.T) {
	path := deb(t, t.TempDir(), "sumocollector", map[string]string{
		"opt/SumoCollector/collector":          agent,
		"opt/SumoCollector/config/README":      "none\n",
		"lib/systemd/system/collector.service": "[Service]\nExecStart=/opt/SumoCollector/collector\n[Install]\nWantedBy=multi-user.target\n",
	}, map[string]os.FileMode{"opt/SumoCollector/collector": 0o755})
	vars := play.Write(t, t.TempDir(), "vars.yml", fmt.Sprintf(`
sumologic_mode: installed_collector
sumologic_binary_src: %s
sumologic_category: foobar/lab/installed
sumologic_sources:
  - {sourceType: LocalFile, name: syslog, pathExpression: /var/log/syslog, category: foobar/lab/syslog}
  - {sourceType: SystemStats, name: host metrics, interval: 60000}
sumologic_properties: {wrapper.java.maxmemory: 256, ephemeral: true}
`, path))
	s.converge(t, "-e", "@"+vars)
	now := s.on(t, "srv01", "test -e /opt/SumoCollector/registered && cat /opt/SumoCollector/config/user.properties")
	if strings.Contains(now, s.token) || !strings.Contains(now, "category=foobar/lab/installed\n") || !strings.Contains(now, "wrapper.java.maxmemory=256\n") || !strings.Contains(now, "ephemeral=true\n") {
		t.Errorf("the properties are\n%s", now)
	}
	if got := s.on(t, "srv01", "stat -c '%a %U' /opt/SumoCollector/config/user.properties"); got != "600 root\n" {
		t.Errorf("the properties are %s", got)
	}
	r := s.run(t, "-e", "@"+vars, "-e", "sumologic_category=foobar/lab/other").Must(t, 0)
	if got := changed(t, r, "srv01"); got != "its properties,the service" {
		t.Errorf("changed %q", got)
	}
	r = s.run(t, "-e", "@"+vars, "-e", "sumologic_category=foobar/lab/other", "-e", `{"sumologic_sources": [{"sourceType": "LocalFile", "name": "syslog"}]}`).Must(t, 0)
	if got := changed(t, r, "srv01"); got != "its sources" {
		t.Errorf("changed %q", got)
	}
	if said := touched(t, s.run(t, "-e", "@"+vars, "-e", `{"sumologic_sources": [{"name": "syslog", "sourceType": ""}]}`).Must(t, 2)); !strings.Contains(said, "needs a name and a sourceType") {
		t.Errorf("a source without type: %s", said)
	}
}
