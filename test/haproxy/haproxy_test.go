// Package haproxy_test tests the role and the module haproxy on lab servers:
// the site through the load balancer, what is drained and what dies, and what a
// broken configuration leaves behind.
package haproxy_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/test/lab"
	"github.com/foobar-play/foobar-play/test/play"
)

func TestMain(m *testing.M) { os.Exit(play.Main(m)) }

type site struct{ *play.Site }

// balancer runs site.yml for the load balancer's role only.
func (s *site) balancer(t *testing.T, args ...string) play.Result {
	t.Helper()
	return s.Run(t, append([]string{"playbooks/site.yml", "--limit", "lb", "--tags", "haproxy"}, args...)...)
}

// ask gives haproxy a command.
func (s *site) ask(t *testing.T, command string) string {
	t.Helper()
	return s.On(t, "lb01", "echo '"+command+"' | socat - /run/haproxy/admin.sock")
}

// status is haproxy's word for a web server, or another BACKEND/SERVER.
func (s *site) status(t *testing.T, host string) string {
	t.Helper()
	if !strings.Contains(host, "/") {
		host = "be_https/" + host
	}
	for line := range strings.Lines(s.ask(t, "show stat -1 4 -1")) {
		if f := strings.Split(line, ","); len(f) > 17 && f[0]+"/"+f[1] == host {
			return f[17]
		}
	}
	t.Fatalf("haproxy does not have %s", host)
	return ""
}

// until waits for a status.
func (s *site) until(t *testing.T, host, want string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if s.status(t, host) == want {
			return
		}
	}
	t.Fatalf("%s is %s, not %s", host, s.status(t, host), want)
}

func TestHaproxy(t *testing.T) {
	s := &site{play.NewSite(t, "../..", lab.Config{})}
	s.Run(t, "playbooks/site.yml", "--check").Must(t, 0)
	s.On(t, "lb01", "test ! -e /etc/haproxy")
	s.Run(t, "playbooks/site.yml").Must(t, 0)
	t.Run("a second run changes nothing", func(t *testing.T) { s.Run(t, "playbooks/site.yml").Quiet(t) })
	t.Run("a dry run predicts no change", func(t *testing.T) { s.Run(t, "playbooks/site.yml", "--check").Quiet(t) })
	t.Run("the site", s.outside)
	t.Run("no way past it", s.bypass)
	t.Run("drift", s.drift)
	t.Run("requests during reloads", s.reloads)
	t.Run("drained", s.drained)
	t.Run("state over a reload", s.state)
	t.Run("a web server dies", s.death)
	t.Run("broken configurations", s.broken)
	t.Run("TLS ends here too", s.reencrypt)
	t.Run("no server state", s.stateless)
}

// outside looks at the site as its users do.
func (s *site) outside(t *testing.T) {
	leaves := map[string]int{}
	for i := range 10 {
		a, err := s.get(t, s.trust(t), i%2 == 1, "/look")
		if err != nil {
			t.Fatal(err)
		}
		if a.status != 200 || a.proto != 1+i%2 {
			t.Errorf("HTTP/%d, %d", a.proto, a.status)
		}
		if host := a.server(); host != "web01" && host != "web02" || !s.leaf(t, host).Equal(a.leaf) {
			t.Errorf("%q answered with another certificate than it has", host)
		}
		leaves[a.server()]++
	}
	if leaves["web01"] == 0 || leaves["web02"] == 0 {
		t.Errorf("the answers were from %v", leaves)
	}
	for host := range leaves {
		log := s.On(t, host, "grep /look /var/log/nginx/access.log")
		if want := fmt.Sprintf("%q:%q", "remote_addr", s.Client.Addr); strings.Count(log, want) != strings.Count(log, "\n") {
			t.Errorf("%s does not log the client's address %s:\n%s", host, s.Client.Addr, log)
		}
	}
	if res := s.plain(t, "/a?b=1"); res.StatusCode != http.StatusMovedPermanently || res.Header.Get("Location") != "https://"+name+"/a?b=1" {
		t.Errorf("port 80: %s to %q", res.Status, res.Header.Get("Location"))
	}
	s.On(t, "web01", "install -d /var/www/acme/.well-known/acme-challenge && echo token >/var/www/acme/.well-known/acme-challenge/x")
	if res := s.plain(t, "/.well-known/acme-challenge/x"); res.StatusCode != http.StatusOK {
		t.Errorf("a challenge of ACME: %s", res.Status)
	}
	if metrics := s.On(t, "lb01", "printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' | socat -t 5 - TCP:127.0.0.1:8404"); !strings.Contains(metrics, `haproxy_server_status{proxy="be_https",server="web01",state="UP"} 1`) {
		t.Error("there are no metrics")
	}
}

// bypass tries to come to the web servers without the load balancer.
func (s *site) bypass(t *testing.T) {
	for _, to := range [][2]string{{"web01", "443"}, {"web01", "80"}, {"web02", "443"}, {"lb01", "8404"}} {
		if s.open(t, to[0], to[1]) {
			t.Errorf("the client reaches %s:%s", to[0], to[1])
		}
	}
	const handshake = "timeout 5 openssl s_client -connect %s:443 -servername " + name + " </dev/null 2>&1 | grep -q 'BEGIN CERTIFICATE' && echo shown || echo refused"
	for _, from := range []string{"lb01", "web02"} {
		if got := s.On(t, from, fmt.Sprintf(handshake, s.Host("web01").Addr)); got != "refused\n" {
			t.Errorf("from %s, without the PROXY protocol, web01 has %s", from, got)
		}
	}
	if keys := s.On(t, "lb01", "grep -rl -e '-----BEGIN .*PRIVATE KEY' /etc /var/lib /usr/local /root /home /tmp 2>/dev/null | grep -v -e /etc/ssh || true"); keys != "" {
		t.Errorf("the load balancer has private keys: %s", keys)
	}
}

func (s *site) drift(t *testing.T) {
	s.On(t, "lb01", "echo '# a stranger' >>/etc/haproxy/haproxy.cfg")
	for _, args := range [][]string{{"--check"}, nil} {
		if got := s.balancer(t, args...).Must(t, 0).Changed(t, "lb01"); got != "haproxy.cfg,reload" {
			t.Errorf("%v: changed %q", args, got)
		}
	}
	s.balancer(t).Quiet(t)
	s.On(t, "lb01", "systemctl stop haproxy")
	if got := s.balancer(t).Must(t, 0).Changed(t, "lb01"); got != "the service" {
		t.Errorf("changed %q", got)
	}
	s.serves(t)
}

// reloads has requests run all through reloads of haproxy.
func (s *site) reloads(t *testing.T) {
	const requests, reloads = 600, 6
	before := s.On(t, "lb01", "systemctl show haproxy -p MainPID")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range reloads {
			s.On(t, "lb01", "systemctl reload haproxy; sleep 0.5")
		}
	}()
	servers, failures := s.loop(t, requests)
	for more := true; more; {
		select {
		case <-done:
			more = false
		default:
			_, failed := s.loop(t, 10)
			failures = append(failures, failed...)
		}
	}
	if failures != nil {
		t.Errorf("%d of %d requests failed: %v", len(failures), requests, failures[0])
	}
	if servers["web01"]+servers["web02"]+len(failures) < requests || servers["web01"] == 0 || servers["web02"] == 0 {
		t.Errorf("answers were from %v", servers)
	}
	if after := s.On(t, "lb01", "systemctl show haproxy -p MainPID"); after != before {
		t.Error("haproxy was restarted")
	}
}

// task runs the module haproxy once.
func (s *site) task(t *testing.T, options string, args ...string) play.Result {
	t.Helper()
	book := play.Write(t, t.TempDir(), "book.yml", "- hosts: lb\n  become: true\n  gather_facts: false\n  tasks:\n    - haproxy: {"+options+"}\n")
	return s.Run(t, append([]string{book}, args...)...)
}

// drained takes a server out and back in with the module.
func (s *site) drained(t *testing.T) {
	const out, in = "state: drain, host: web01, backend: be_https, drain: true, wait_interval: 1", "state: enabled, host: web01, backend: be_https, wait: true, wait_interval: 1"
	if got := s.task(t, out, "--check").Must(t, 0).Changed(t, "lb01"); got != "haproxy" {
		t.Errorf("the dry run predicts %q", got)
	}
	if got := s.status(t, "web01"); got != "UP" {
		t.Fatalf("after a dry run web01 is %s", got)
	}
	if got := s.task(t, out).Must(t, 0).Changed(t, "lb01"); got != "haproxy" {
		t.Errorf("changed %q", got)
	}
	s.task(t, out).Quiet(t)
	if servers, failures := s.loop(t, 20); servers["web01"] != 0 || failures != nil {
		t.Errorf("a drained server: answers were from %v, failures %v", servers, failures)
	}
	s.task(t, in).Must(t, 0)
	s.task(t, in).Quiet(t)
	if servers, _ := s.loop(t, 20); servers["web01"] == 0 {
		t.Errorf("a server that is back: answers were from %v", servers)
	}
	s.task(t, "state: enabled, host: web01, weight: 50%").Must(t, 0)
	s.task(t, "state: enabled, host: web01, weight: 50%").Quiet(t)
	s.task(t, "state: enabled, host: web01, weight: 100%").Must(t, 0)
	r := s.task(t, "state: drain, host: web09, backend: be_https, fail_on_not_found: true").Must(t, 2)
	if said := r.Touched(t); !strings.Contains(said, "haproxy has no server web09 in the backend be_https") {
		t.Errorf("got %s", said)
	}
}

// state: what is drained stays so over a reload, not over a start; what the
// configuration changes counts.
func (s *site) state(t *testing.T) {
	s.task(t, "state: drain, host: web01, backend: be_https").Must(t, 0)
	s.On(t, "lb01", "systemctl reload haproxy; systemctl reload haproxy")
	s.until(t, "web01", "DRAIN")
	s.balancer(t).Quiet(t)
	s.task(t, "state: enabled, host: web01, backend: be_https").Must(t, 0)
	s.On(t, "lb01", "systemctl reload haproxy")
	s.until(t, "web01", "UP")
	s.task(t, "state: drain, host: web01, backend: be_https").Must(t, 0)
	s.On(t, "lb01", "systemctl reload haproxy; systemctl restart haproxy")
	s.until(t, "web01", "UP")
	for _, port := range []string{"1001", "1002"} {
		s.balancer(t, "-e", `{"haproxy_backends": [{"name": "be_x", "mode": "tcp", "servers_group": {"group": "web", "port": `+port+`}}]}`).Must(t, 0)
		for line := range strings.Lines(s.ask(t, "show servers state")) {
			if f := strings.Fields(line); len(f) > 18 && f[1] == "be_x" && f[18] != port {
				t.Errorf("the port is %s, the configuration says %s", f[18], port)
			}
		}
	}
	// A server that was found down and is no longer checked is not down.
	for _, check := range []string{"check inter 200ms", ""} {
		s.balancer(t, "-e", `{"haproxy_backends": [{"name": "be_x", "mode": "tcp", "servers_group": {"group": "web", "port": 4443, "options": "`+check+`"}}]}`).Must(t, 0)
		s.until(t, "be_x/web01", map[bool]string{true: "no check", false: "DOWN"}[check == ""])
	}
	s.balancer(t).Must(t, 0)
	s.balancer(t).Quiet(t)
}

// death stops a web server: once haproxy has seen it nothing fails.
func (s *site) death(t *testing.T) {
	s.On(t, "web01", "systemctl kill -s KILL nginx; systemctl stop nginx")
	_, window := s.loop(t, 20)
	t.Logf("%d of 20 requests failed before haproxy knew: %v", len(window), window)
	s.until(t, "web01", "DOWN")
	servers, failures := s.loop(t, 200)
	if failures != nil || servers["web02"] != 200 {
		t.Errorf("answers were from %v, failures %v", servers, failures)
	}
	s.task(t, "state: disabled, host: web01, backend: be_https, drain: true, wait: true").Must(t, 0)
	s.On(t, "web01", "systemctl start nginx")
	s.task(t, "state: enabled, host: web01, backend: be_https, wait: true, wait_interval: 1").Must(t, 0)
	if servers, failures := s.loop(t, 20); failures != nil || servers["web01"] == 0 {
		t.Errorf("when it is back: answers were from %v, failures %v", servers, failures)
	}
}
