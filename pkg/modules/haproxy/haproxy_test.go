package haproxy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

func web(name string) fakeServer {
	return fakeServer{backend: "be_https", name: name, uweight: 1, iweight: 1, checkState: checkConfigured | checkEnabled}
}

// dir makes a Case.Dir with a haproxy that has these servers.
func dir(servers ...fakeServer) func(*testing.T, string) {
	return func(t *testing.T, d string) { newFake(t, d+"/s", servers...) }
}

func TestConformance(t *testing.T) {
	args := func(kv ...any) map[string]any {
		m := map[string]any{"host": "web01", "socket": "$DIR/s", "wait_interval": 0}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		return m
	}
	drained := web("web01")
	drained.admin = forcedDrain
	maint := web("web01")
	maint.admin = forcedMaint
	heavy := web("web01")
	heavy.uweight, heavy.iweight = 100, 200
	api := web("web01")
	api.backend = "be_api"
	for name, c := range map[string]modulestest.Case{
		"drain":   {Args: args("state", "drain", "backend", "be_https"), Dir: dir(web("web01"), web("web02")), Values: map[string]any{"commands": []any{"set server be_https/web01 state drain"}}},
		"drained": {Args: args("state", "drain"), Dir: dir(drained), Unchanged: true},
		"disable": {Args: args("state", "disabled", "health", true), Dir: dir(web("web01"))},
		"off":     {Args: args("state", "disabled"), Dir: dir(maint), Unchanged: true},
		"enable":  {Args: args("state", "enabled"), Dir: dir(drained)},
		"on":      {Args: args("state", "enabled"), Dir: dir(web("web01")), Unchanged: true},
		"all":     {Args: args("state", "drain"), Dir: dir(web("web01"), api)},
		"weight":  {Args: args("state", "enabled", "weight", "25%"), Dir: dir(heavy), Values: map[string]any{"commands": []any{"set weight be_https/web01 25%"}}},
		"same":    {Args: args("state", "enabled", "weight", "50%"), Dir: dir(heavy), Unchanged: true},
		"nobody":  {Args: args("state", "enabled", "host", "web09"), Dir: dir(heavy), Unchanged: true, Values: map[string]any{"servers": []any{}}},
		"missing": {Args: args("state", "enabled", "host", "web09", "backend", "be", "fail_on_not_found", true), Dir: dir(heavy), WantErr: "haproxy has no server web09 in the backend be"},
		"socket":  {Args: args("state", "enabled"), Dir: func(*testing.T, string) {}, WantErr: "there is no admin socket at"},
		"back": {Args: args("state", "drain"), Dir: dir(web("web01")), Drift: func(t *testing.T, w host.Writer, d string) {
			if err := tell(t.Context(), d+"/s", "set server be_https/web01 state ready"); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		c.Module = Module()
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

// execute runs one task, whose seconds last no time.
func execute(t *testing.T, d string, o Options) (modules.Result, error) {
	t.Helper()
	o.Socket, o.WaitInterval = d+"/s", 1
	if o.WaitRetries == 0 {
		o.WaitRetries = 20
	}
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	a := &action{Options: &o, unit: time.Microsecond}
	return modules.Execute(t.Context(), "haproxy", modules.Custom(a.plan, a.apply, a.verify), host.NewReal(), modules.Mode{})
}

func TestWaiting(t *testing.T) {
	busy := web("web01")
	busy.scur = 5
	broken := busy
	broken.down = true
	drained := busy
	drained.admin = forcedDrain
	rising := web("web01")
	rising.admin, rising.rising = forcedMaint, 3
	dead := web("web01")
	dead.admin, dead.down = forcedDrain, true
	const set, shutdown = "set server be_https/web01 state ", "shutdown sessions server be_https/web01"
	for name, c := range map[string]struct {
		server  fakeServer
		sticky  bool
		refuses string
		options Options
		told    []string
		wantErr string
		same    bool
	}{
		"drain waits":              {server: busy, options: Options{State: "drain", Drain: true}, told: []string{set + "drain"}},
		"disabled drains first":    {server: busy, options: Options{State: "disabled", Drain: true}, told: []string{set + "drain", set + "maint"}},
		"at once":                  {server: busy, options: Options{State: "disabled", ShutdownSessions: true}, sticky: true, told: []string{set + "maint", shutdown}},
		"sessions that stay":       {server: busy, sticky: true, options: Options{State: "disabled", Drain: true, ShutdownSessions: true}, told: []string{set + "drain", shutdown, set + "maint"}},
		"too long":                 {server: busy, sticky: true, options: Options{State: "disabled", Drain: true}, told: []string{set + "drain"}, wantErr: "5 sessions are still on be_https/web01 after 19s, which is left in the state drain: raise wait_retries"},
		"down is not waited for":   {server: broken, sticky: true, options: Options{State: "drain", Drain: true, Wait: true}, told: []string{set + "drain"}},
		"down reaches maintenance": {server: broken, sticky: true, options: Options{State: "disabled", Drain: true, Wait: true, ShutdownSessions: true}, told: []string{set + "maint", shutdown}},
		"only waiting":             {server: drained, options: Options{State: "drain", Drain: true}, same: true},
		"enable and drain":         {server: drained, sticky: true, options: Options{State: "enabled", Drain: true, Wait: true}, told: []string{set + "ready"}},
		"until a check succeeds":   {server: rising, options: Options{State: "enabled", Wait: true}, told: []string{set + "ready"}},
		"never healthy":            {server: dead, options: Options{State: "enabled", Wait: true}, told: []string{set + "ready"}, wantErr: "be_https/web01 is not healthy after 19s: it is DOWN, its last check says: L7OK HTTP status check returned code <200>, fine"},
		"refused":                  {server: web("web01"), refuses: "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.", options: Options{State: "enabled", Weight: "7"}, told: []string{"set weight be_https/web01 7"}, wantErr: "only accepts weights"},
	} {
		t.Run(name, func(t *testing.T) {
			d := t.TempDir()
			f := newFake(t, d+"/s", c.server)
			f.sticky, f.refuses = c.sticky, c.refuses
			c.options.Host = "web01"
			res, err := execute(t, d, c.options)
			if c.wantErr == "" && err != nil || c.wantErr != "" && (err == nil || !strings.Contains(err.Error(), c.wantErr)) {
				t.Fatalf("%v, want %q", err, c.wantErr)
			}
			if want := strings.Join(c.told, "\n"); f.heard() != want {
				t.Errorf("haproxy was told\n%s\nwant\n%s", f.heard(), want)
			}
			if err == nil && res.Changed == c.same {
				t.Errorf("changed=%v", res.Changed)
			}
		})
	}
}

// A dry run says maybe where waiting is all that is left.
func TestDryRunDoesNotWait(t *testing.T) {
	d := t.TempDir()
	busy := web("web01")
	busy.admin, busy.scur = forcedDrain, 5
	f := newFake(t, d+"/s", busy)
	f.sticky = true
	a, err := Module().Build(modules.Env{}, map[string]any{"state": "drain", "host": "web01", "drain": true, "socket": d + "/s"})
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "haproxy", a, host.NewShadow(host.NewReal()), modules.Mode{Check: true})
	if err != nil || res.Changed || !strings.Contains(res.Unknown, "waits for 5 sessions of be_https/web01 to end") || f.heard() != "" {
		t.Errorf("%+v, %v, told %q", res, err, f.heard())
	}
}

func TestPermission(t *testing.T) {
	d := t.TempDir()
	newFake(t, d+"/s", web("web01")).deny = true
	if _, err := execute(t, d, Options{State: "drain", Host: "web01"}); err == nil || !strings.Contains(err.Error(), "Permission denied") {
		t.Errorf("got %v", err)
	}
}

// A haproxy that never answers does not hold the task up beyond its end.
func TestCancel(t *testing.T) {
	d := t.TempDir()
	f := newFake(t, d+"/s", web("web01"))
	f.mu.Lock()
	defer f.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	if _, err := ask(ctx, d+"/s", "show stat -1 4 -1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOptions(t *testing.T) {
	for _, args := range []map[string]any{
		{"host": "a"}, {"host": "a", "state": "gone"}, {"host": "a b", "state": "drain"}, {"host": "a; disable server x/y", "state": "drain"},
		{"host": "a", "backend": "b/c", "state": "drain"}, {"host": "a", "state": "enabled", "shutdown_sessions": true},
		{"host": "a", "state": "drain", "health": true}, {"host": "a", "state": "enabled", "weight": "257"},
		{"host": "a", "state": "enabled", "weight": "101%"}, {"host": "a", "state": "enabled", "weight": "x"}, {"host": "a", "state": "drain", "wait_retries": 0},
	} {
		if errs := Module().CheckArgs(args, nil); errs == nil {
			t.Errorf("%v is fine", args)
		}
	}
}

func FuzzParse(f *testing.F) {
	fk := &fake{servers: []*fakeServer{{backend: "b", name: "s"}}}
	f.Add(fk.state())
	f.Add(fk.stat())
	f.Fuzz(func(t *testing.T, text string) {
		if list, err := parseState(text); err == nil {
			for _, s := range list {
				if s.name == "" || s.backend == "" {
					t.Errorf("%q: a server without a name", text)
				}
			}
		}
		_, _ = parseStat(text)
	})
}
