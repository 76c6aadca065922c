package haproxy_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/foobar-play/foobar-play/test/lab"
	"github.com/foobar-play/foobar-play/test/play"
)

// during runs f with requests all through it, and returns what failed of them.
func (s *site) during(t *testing.T, f func()) (requests int, failures []string) {
	t.Helper()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_, failed := s.loop(t, 10)
				requests, failures = requests+10, append(failures, failed...)
			}
		}
	})
	f()
	close(stop)
	wg.Wait()
	return requests, failures
}

// TestRollingUpdate updates the web servers while the site is used.
func TestRollingUpdate(t *testing.T) {
	s := &site{play.NewSite(t, "../..", lab.Config{})}
	s.Run(t, "playbooks/site.yml").Must(t, 0)
	update := func(t *testing.T, args ...string) (r play.Result) {
		t.Helper()
		requests, failures := s.during(t, func() { r = s.Run(t, append([]string{"playbooks/rolling_update.yml"}, args...)...) })
		if failures != nil {
			t.Errorf("%d of %d requests failed: %v", len(failures), requests, failures[0])
		}
		t.Logf("%d requests during the update", requests)
		return r
	}
	header := `{"nginx_ssl_headers": {"X-Release": "2"}, "rolling_update_packages": ["nginx"]}`

	t.Run("dry run", func(t *testing.T) {
		r := update(t, "--check", "-e", header).Must(t, 0)
		if !strings.Contains(r.Changed(t, "web02"), "sites") {
			t.Errorf("it predicts %q", r.Changed(t, "web02"))
		}
		s.until(t, "web01", "UP")
		s.until(t, "web02", "UP")
	})
	t.Run("update", func(t *testing.T) {
		update(t, "-e", header).Must(t, 0)
		for _, host := range []string{"web01", "web02"} {
			if got := s.status(t, host); got != "UP" {
				t.Errorf("%s is %s", host, got)
			}
			s.On(t, host, "grep -R X-Release /etc/nginx/sites-enabled/")
		}
		for range 4 {
			if a, err := s.get(t, s.trust(t), true, "/"); err != nil || a.header.Get("X-Release") != "2" {
				t.Errorf("%+v, %v", a, err)
			}
		}
	})
	t.Run("a broken site stops at the first", func(t *testing.T) {
		r := update(t, "-e", `{"nginx_ssl_extra_server": "nonsense on;"}`).Must(t, 2)
		if said := r.Touched(t); !strings.Contains(said, `unknown directive "nonsense"`) {
			t.Errorf("the failure does not say why:\n%s", said)
		}
		if s.status(t, "web01") != "DRAIN" || s.status(t, "web02") != "UP" {
			t.Errorf("web01 is %s, web02 %s", s.status(t, "web01"), s.status(t, "web02"))
		}
		for _, l := range r.Lines(t) {
			if l.Host == "web02" && l.Type == "task_result" {
				t.Errorf("the other one was touched: %s", l.Task)
			}
		}
	})
	t.Run("never the last one", func(t *testing.T) {
		r := update(t, "--limit", "web02", "-e", header).Must(t, 2)
		if said := r.Touched(t); !strings.Contains(said, "Without web02 no web server would be in service at lb01") {
			t.Errorf("got %s", said)
		}
	})
	t.Run("and again", func(t *testing.T) {
		update(t, "-e", header).Must(t, 0)
		if s.status(t, "web01") != "UP" || s.status(t, "web02") != "UP" {
			t.Errorf("web01 is %s, web02 %s", s.status(t, "web01"), s.status(t, "web02"))
		}
	})
	// What the load balancers would refuse is found before it is taken in.
	t.Run("not in order", func(t *testing.T) {
		r := update(t, "-e", `{"nginx_ssl_proxy_protocol": false, "rolling_update_check_seconds": 5}`).Must(t, 2)
		if said := r.Touched(t); !strings.Contains(said, "failed web01: the load balancers find it in order") {
			t.Errorf("got %s", said)
		}
		if got := s.status(t, "web02"); got != "UP" {
			t.Errorf("web02 is %s", got)
		}
	})
}
