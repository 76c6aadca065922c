// Tests of the role sumologic_collector on lab servers, with a real collector
// and an endpoint of ours in Sumo Logic's place.
package sumologic_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/test/lab"
	"github.com/foobar-play/foobar-play/test/play"
	"github.com/foobar-play/foobar-play/test/sumologic"
)

// tree describes every file of the collector, times included, and the process.
const tree = `for f in /etc/otelcol /etc/systemd/system/otelcol.service /usr/local/bin/otelcol; do
  find $f -type d -printf '%p %m %u %g\n' -o -printf '%p %y %m %u %g %T@ %l\n'; find $f -type f -exec sha256sum {} +; done | sort; systemctl show otelcol -p MainPID; ls /var/lib/foobar-play`

// TestCollector measures three servers and looks at what arrives.
func TestCollector(t *testing.T) {
	s := newSite(t, lab.Config{})
	t.Run("dry run on bare servers", func(t *testing.T) {
		for host, stats := range s.run(t, "--check").Must(t, 0).Recap(t) {
			if stats.Changed == 0 || stats.Maybe+stats.Failed+stats.Unreachable != 0 {
				t.Errorf("%s: %+v", host, stats)
			}
			s.on(t, host, "test ! -e /etc/otelcol && test ! -e /usr/local/lib/otelcol && ! id otelcol 2>/dev/null")
		}
	})
	if r := s.text(t, "testdata/prepare.yml"); r.Code != 0 {
		t.Fatalf("prepare the servers: %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
	}
	s.run(t).Must(t, 0)
	t.Run("a second run changes nothing", func(t *testing.T) { quiet(t, s.run(t)) })
	t.Run("a dry run predicts no change", func(t *testing.T) { quiet(t, s.run(t, "--check")) })
	t.Run("metrics", s.metrics)
	t.Run("queries", s.queries)
	t.Run("haproxy", s.haproxy)
	t.Run("mysql", s.mysql)
	t.Run("logs", s.logs)
	t.Run("outage", s.outage)
	t.Run("drift", s.drift)
	t.Run("broken configuration", s.broken)
	t.Run("least privilege", s.privilege)
	t.Run("nothing was refused", func(t *testing.T) {
		if refused := s.Refused(); len(refused) > 0 {
			t.Errorf("the endpoint refused %v", refused)
		}
	})
}

var hosts = map[string]string{"lb01": "foobar/lab/lb", "web01": "foobar/lab/web", "web02": "foobar/lab/web"}

func (s *site) metrics(t *testing.T) {
	want := []string{"system.cpu.time", "system.cpu.utilization", "system.cpu.load_average.1m", "system.memory.usage", "system.memory.utilization",
		"system.filesystem.usage", "system.filesystem.utilization", "system.disk.io", "system.disk.operations", "system.network.io",
		"system.network.connections", "system.paging.operations"}
	for host, category := range hosts {
		for _, metric := range want {
			s.wait(t, host+" sends "+metric, func() bool { return len(sumologic.Of(s.samples(t), host, metric)) > 0 })
		}
		for _, sample := range sumologic.Of(s.samples(t), host, "system.filesystem.utilization") {
			l := sample.Labels
			if l["_sourceCategory"] != category || l["_sourceHost"] != host || l["_sourceName"] != "otelcol" || l["deployment.environment"] != "lab" {
				t.Errorf("%s: labels %v", host, l)
			}
			if sample.Value <= 0 || sample.Value > 1 {
				t.Errorf("%s: a file system is used to %v", host, sample.Value)
			}
			if strings.Contains(l["mountpoint"], "otelcol") {
				t.Errorf("%s: the collector's sandbox is taken for a file system: %v", host, l)
			}
		}
	}
	for _, p := range s.Posts() {
		if hosts[p.Host] != p.Category || p.Name != "otelcol" || p.Encoding != "gzip" || p.Client != "otelcol" {
			t.Errorf("a post with category %q, host %q, name %q, encoding %q, client %q", p.Category, p.Host, p.Name, p.Encoding, p.Client)
		}
	}
}

// ask sends requests to a web server over one connection, and fails the test
// when one is not answered.
func (s *site) ask(t *testing.T, address string, requests int) {
	t.Helper()
	conn, err := s.Client.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := tls.Client(conn, &tls.Config{ServerName: "www.foobar.com", InsecureSkipVerify: true}) // certificates are not what is tested
	in := bufio.NewReader(client)
	for range requests {
		fmt.Fprint(client, "GET / HTTP/1.1\r\nHost: www.foobar.com\r\n\r\n")
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Discard(int(res.ContentLength)); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", address, res.Status, err)
		}
	}
}

// requests returns web01's counter of requests, in order.
func (s *site) requests(t *testing.T) []sumologic.Sample {
	t.Helper()
	return sumologic.Of(s.samples(t), "web01", "nginx.requests")
}

// queries: each sample counts one more request, its own; beyond that the
// counter rises by what the clients sent.
func (s *site) queries(t *testing.T) {
	const sent = 57
	s.wait(t, "the counter of requests", func() bool { return len(s.requests(t)) > 0 })
	base := len(s.requests(t)) - 1
	s.ask(t, net.JoinHostPort(s.Host("web01").Addr, "443"), sent)
	rise := func() (float64, float64) {
		all := s.requests(t)
		return all[len(all)-1].Value - all[base].Value, float64(len(all) - 1 - base)
	}
	s.wait(t, "the counter of requests to rise", func() bool { got, own := rise(); return got >= sent+own })
	if got, own := rise(); got != sent+own {
		t.Errorf("nginx.requests rose by %v in %v samples, with %d requests sent", got, own, sent)
	}
}

func (s *site) haproxy(t *testing.T) {
	sessions := func() float64 {
		top := 0.0
		for _, sample := range sumologic.Of(s.samples(t), "lb01", "haproxy.sessions.total") {
			if sample.Labels["haproxy.proxy_name"] == "https" {
				top = max(top, sample.Value)
			}
		}
		return top
	}
	before := sessions()
	for range 5 {
		s.ask(t, net.JoinHostPort(s.Host("lb01").Addr, "443"), 1)
	}
	s.wait(t, "haproxy's sessions to rise by 5", func() bool { return sessions() >= before+5 })
}

func (s *site) mysql(t *testing.T) {
	s.wait(t, "the primary's queries", func() bool { return len(sumologic.Of(s.samples(t), "web01", "mysql.query.count")) > 0 })
	lag := func() []sumologic.Sample {
		return sumologic.Of(s.samples(t), "web02", "mysql.replica.time_behind_source")
	}
	s.wait(t, "the replica's lag", func() bool { return len(lag()) > 0 })
	if lags := lag(); lags[len(lags)-1].Value > 60 {
		t.Errorf("the lag is %v s", lags[len(lags)-1].Value)
	}
	if len(sumologic.Of(s.samples(t), "web01", "mysql.replica.time_behind_source")) > 0 {
		t.Error("the primary has a lag")
	}
}

func (s *site) logs(t *testing.T) {
	s.on(t, "web02", `install -d -o root -g adm -m 0750 /var/log/app; umask 027
printf '[1] first line\n  its second line\n[2] marker-%s\n[3] last\n' one >/var/log/app/a.log; chgrp adm /var/log/app/a.log`)
	entry := func(text string) (sumologic.Post, string) {
		for _, p := range s.Posts() {
			for line := range strings.Lines(p.Body) {
				if p.Category == "foobar/lab/app" && strings.Contains(line, text) {
					return p, line
				}
			}
		}
		return sumologic.Post{}, ""
	}
	s.wait(t, "the log", func() bool { _, line := entry("marker-one"); return line != "" })
	p, line := entry("first line")
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if got["log"] != "[1] first line\n  its second line" || got["log.file.path"] != "/var/log/app/a.log" {
		t.Errorf("the entry is %v", got)
	}
	s.on(t, "web02", "grep -q filelog/app /etc/otelcol/config.yaml")
	if p.Host != "web02" || !strings.Contains(p.Fields, "deployment.environment=lab") || !strings.Contains(p.Fields, "host.name=web02") {
		t.Errorf("host %q, fields %q", p.Host, p.Fields)
	}
}

// outage: what is measured while the endpoint is away, and a restart of the
// collector meanwhile, arrives afterwards. The counter of requests rises by one
// with each sample, and with each of our own looks, so that a sample that is
// missing shows.
func (s *site) outage(t *testing.T) {
	all := s.requests(t)
	first := all[len(all)-1]
	if err := s.Down(); err != nil {
		t.Fatal(err)
	}
	looks := 0
	counter := func() (n float64) {
		looks++
		out := s.on(t, "web01", `bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /nginx_status HTTP/1.0\r\n\r\n" >&3; cat <&3' |
			awk 'NF == 3 && $1 ~ /^[0-9]+$/ {print $3}'`)
		if _, err := fmt.Sscan(out, &n); err != nil {
			t.Fatalf("nginx's counter is %q", out)
		}
		return n
	}
	start := counter()
	measured := func(samples float64) func() bool {
		return func() bool { return counter()-start-float64(looks-1) >= samples }
	}
	s.wait(t, "measurements without endpoint", measured(10))
	s.on(t, "web01", "systemctl restart otelcol")
	s.wait(t, "measurements after a restart", measured(20))
	if err := s.Up(); err != nil {
		t.Fatal(err)
	}
	var since []sumologic.Sample
	s.wait(t, "everything that was measured meanwhile", func() bool {
		since = slices.DeleteFunc(s.requests(t), func(x sumologic.Sample) bool { return x.Time < first.Time })
		last := since[len(since)-1]
		return len(since) > 20 && last.Value-first.Value == float64(len(since)-1+looks)
	})
}

// drift breaks one thing at a time and expects exactly that repaired.
func (s *site) drift(t *testing.T) {
	for script, want := range map[string]string{
		"echo '# a stranger' >>/etc/otelcol/config.yaml":             "configuration,the service",
		"chmod 0644 /etc/otelcol/secrets.env":                        "secrets,the service",
		"sed -i '/^NoNewPriv/d' /etc/systemd/system/otelcol.service": "unit,the service",
		"ln -sfn /bin/true /usr/local/bin/otelcol":                   "the collector in use,the service",
		"touch /etc/otelcol/config.yaml":                             "the service", // as an interrupted run leaves it: no restart yet
		"systemctl stop otelcol":                                     "the service",
		"systemctl disable otelcol":                                  "the service",
		"touch /usr/local/lib/otelcol/0123456789abcdef":              "they go",
		"usermod -s /bin/bash otelcol":                               "the account",
	} {
		t.Run(script, func(t *testing.T) {
			s.on(t, "web01", script)
			for _, args := range [][]string{{"--check"}, nil} {
				r := s.run(t, append(args, "--limit", "web01")...).Must(t, 0)
				if got := changed(t, r, "web01"); got != want {
					t.Errorf("%v: changed %q, want %q", args, got, want)
				}
			}
			quiet(t, s.run(t, "--limit", "web01"))
		})
	}
}

// broken tries settings that the collector refuses, at different times, and
// programs that are no collector.
func (s *site) broken(t *testing.T) {
	no := play.Write(t, t.TempDir(), "no-collector", "#!/bin/sh\nexit 3\n")
	for name, c := range map[string]struct{ vars, says string }{
		"a receiver it lacks":      {`{"sumologic_journald": true}`, `unknown type: \"journald\"`},
		"an unknown setting":       {`{"sumologic_extra_config": {"exporters": {"sumologic": {"nonsense": 1}}}}`, "nonsense"},
		"a bad interval":           {`{"sumologic_hostmetrics": {"interval": "often"}}`, "invalid duration"},
		"an address that is taken": {`{"sumologic_extra_config": {"extensions": {"health_check": {"endpoint": "127.0.0.1:22"}}}}`, "failed to bind to address 127.0.0.1:22"},
		"no collector":             {`{"sumologic_binary_src": "` + no + `"}`, ""},
		"a file that is not there": {`{"sumologic_binary_src": "/nowhere"}`, "There is no file /nowhere"},
		"another sum":              {`{"sumologic_checksum": "sha256:00"}`, "or its sum is not sha256:00"},
		"no address":               {`{"sumologic_http_source_url": ""}`, "needs sumologic_http_source_url"},
		"no token":                 {`{"sumologic_mode": "otel_sumo", "sumologic_installation_token": ""}`, "needs sumologic_installation_token"},
		"a download without sum":   {`{"sumologic_install_from": "download", "sumologic_binary_url": "http://192.0.2.1/x"}`, "set sumologic_binary_url"},
		"another version":          {`{"sumologic_version": "9.9"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.on(t, "web01", tree)
			r := s.run(t, "--limit", "web01", "-e", c.vars).Must(t, 2)
			after := s.on(t, "web01", tree)
			if strings.Contains(name, "taken") { // it was tried: another process runs, of the same files
				before, after = before[:strings.Index(before, "MainPID")], after[:strings.Index(after, "MainPID")]
			}
			if after != before {
				t.Errorf("the collector was\n%s\nand is\n%s", before, after)
			}
			if said := touched(t, r); !strings.Contains(said, strings.ReplaceAll(c.says, `\"`, `"`)) {
				t.Errorf("the failure says\n%s", said)
			}
			s.on(t, "web01", "test ! -e /var/lib/foobar-play/sumologic_collector && systemctl is-active otelcol")
		})
	}
	s.run(t, "--limit", "web01").Must(t, 0)
	quiet(t, s.run(t, "--limit", "web01"))
}

// privilege: the collector is nobody special, and the secret is in one file
// that only root reads, and nowhere else.
func (s *site) privilege(t *testing.T) {
	for host := range hosts {
		if got := s.on(t, host, "ps -o user= -C otelcol"); strings.TrimSpace(got) != "otelcol" {
			t.Errorf("%s: it runs as %q", host, got)
		}
		if got := s.on(t, host, `awk '/^CapEff|^NoNewPrivs/ {print $2}' /proc/$(systemctl show --value -p MainPID otelcol)/status`); got != "0000000000000000\n1\n" {
			t.Errorf("%s: capabilities and no-new-privileges are %q", host, got)
		}
		if got := s.on(t, host, "stat -c '%a %U' /etc/otelcol/secrets.env"); got != "600 root\n" {
			t.Errorf("%s: the file of secrets is %s", host, got)
		}
		if got := s.on(t, host, "grep -rlF -- "+s.secret+" /etc /var /tmp /run /root /home /usr/local /srv 2>/dev/null || true"); got != "/etc/otelcol/secrets.env\n" {
			t.Errorf("%s: the secret is in %q", host, got)
		}
		if got := s.on(t, host, "ps axww"); strings.Contains(got, s.secret) {
			t.Errorf("%s: the secret is in the list of processes", host)
		}
		// A collector that is stopped while it cannot send names the address.
		if got := s.on(t, host, "journalctl --no-pager"); strings.Contains(got, s.secret) && host != "web01" {
			t.Errorf("%s: the secret is in the journal", host)
		}
	}
	if r := s.text(t, s.playbook, "-vvv", "--diff", "-e", "sumologic_source_name=other"); r.Code != 0 {
		t.Errorf("%d\n%s", r.Code, r.Stderr)
	}
}
