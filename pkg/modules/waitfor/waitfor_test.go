package waitfor

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// listen serves a banner on a port of loopback until the test ends.
func listen(t *testing.T, banner string) (port int, l net.Listener) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(banner))
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, l
}

func TestHoldsAtOnce(t *testing.T) {
	open, _ := listen(t, "SSH-2.0-x\r\n")
	closed, l := listen(t, "")
	l.Close()
	h := modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddFile("/srv/f", "one\nready: 42\n", 0o644)
		h.AddFile("/proc/net/tcp", "  sl\n   0: 0100007F:1F90 0200000A:D431 01 x\n   1: 0100007F:1F91 0200000A:D431 0A x\n", 0o444)
	})
	for name, c := range map[string]modulestest.Case{
		"open":          {Args: map[string]any{"port": open}, Values: map[string]any{"elapsed": 0, "state": "started", "port": open}},
		"banner":        {Args: map[string]any{"port": open, "search_regex": `^SSH-(?P<v>[\d.]+)`}, Values: map[string]any{"match_groupdict": map[string]any{"v": "2.0"}}},
		"closed":        {Args: map[string]any{"port": closed, "state": "stopped"}},
		"file":          {Args: map[string]any{"path": "/srv/f"}, Values: map[string]any{"path": "/srv/f"}},
		"no file":       {Args: map[string]any{"path": "/srv/g", "state": "absent"}},
		"text":          {Args: map[string]any{"path": "/srv/f", "search_regex": `^ready: (\d+)$`}, Values: map[string]any{"match_groups": []any{"42"}}},
		"no text":       {Args: map[string]any{"path": "/srv/f", "search_regex": `fail`, "state": "absent"}},
		"drained":       {Args: map[string]any{"port": 8081, "state": "drained"}},
		"excluded host": {Args: map[string]any{"port": 8080, "state": "drained", "exclude_hosts": "10.0.0.2"}},
	} {
		c.Module, c.Host, c.Unchanged = Module(), h, true
		// Without IPv6 there is no /proc/net/tcp6; a port is no read of the host.
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

// execute runs a task whose seconds are milliseconds.
func execute(t *testing.T, w host.Writer, check bool, o Options) (modules.Result, error) {
	t.Helper()
	o.Host, o.ConnectTimeout, o.Sleep = "127.0.0.1", 5, 1
	if o.State == "" {
		o.State = "started"
	}
	o.ActiveConnectionStates = []string{"ESTABLISHED"}
	a, err := (&wait{Options: &o, unit: time.Millisecond}).action()
	if err != nil {
		t.Fatal(err)
	}
	return modules.Execute(t.Context(), "wait_for", a, w, modules.Mode{Check: check})
}

func TestWaits(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddFile("/proc/net/tcp", "   0: 0100007F:1F90 0200000A:D431 01 x\n", 0o444)
	go func() { h.AddFile("/srv/late", "x", 0o644) }()
	res, err := execute(t, h, false, Options{Path: "/srv/late", Timeout: 20000})
	if err != nil || res.Changed {
		t.Errorf("%+v, %v", res, err)
	}
	if _, err := execute(t, h, false, Options{Timeout: 1}); err != nil {
		t.Errorf("only waiting: %v", err)
	}
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"file":    {Options{Path: "/srv/x"}, "Timeout when waiting for file /srv/x"},
		"text":    {Options{Path: "/srv/late", SearchRegex: "nope"}, "Timeout when waiting for search string nope in /srv/late"},
		"absent":  {Options{Path: "/srv/late", State: "absent"}, "Timeout when waiting for /srv/late to be absent."},
		"drained": {Options{Port: 8080, State: "drained"}, "Timeout when waiting for 127.0.0.1:8080 to drain"},
		"message": {Options{Path: "/srv/x", Msg: "too late"}, "too late"},
	} {
		c.o.Timeout = 2
		_, err := execute(t, h, false, c.o)
		var f *modules.Failure
		if !errors.As(err, &f) || f.Msg != c.want || f.Values["elapsed"] == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDryRunDoesNotWait(t *testing.T) {
	w := host.NewShadow(modulestest.NewHost(t))
	res, err := execute(t, w, true, Options{Path: "/srv/x", Timeout: 1e9})
	if err != nil || res.Unknown == "" {
		t.Errorf("%+v, %v", res, err)
	}
	if _, unknown := res.Values["elapsed"].(value.Unknown); !unknown {
		t.Errorf("%+v", res.Values)
	}
}

func TestOptions(t *testing.T) {
	for name, args := range map[string]map[string]any{
		"both": {"port": 1, "path": "/x"}, "drained path": {"path": "/x", "state": "drained"}, "regex": {"path": "/x", "search_regex": "("},
		"states": {"port": 1, "active_connection_states": "OPEN"}, "nowhere": {"search_regex": "x"},
	} {
		if errs := Module().CheckArgs(args, nil); errs == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got, err := endpoint("0000000000000000FFFF00000100007F:0050"); err != nil || got.String() != "127.0.0.1:80" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := endpoint(strings.Repeat("0", 3)); err == nil {
		t.Error("no address is fine")
	}
}
