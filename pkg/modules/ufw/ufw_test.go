package ufw

import (
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

func build(t *testing.T, args map[string]any) (*options, error) {
	t.Helper()
	errs := Module().CheckArgs(args, nil)
	if errs != nil {
		return nil, errs
	}
	var got *options
	m := modules.Define(Module().Spec, func(_ modules.Env, o *options) (modules.Action, error) { got = o; return nil, nil })
	_, err := m.Build(modules.Env{}, args)
	return got, err
}

func TestWantedTuples(t *testing.T) {
	known := names{profiles: map[string]profile{"Nginx Full": {"Nginx Full", []portProto{{"80,443", "tcp"}}}}, services: map[string]portProto{"ssh": {"22", "tcp"}, "domain": {"53", "any"}}}
	for _, c := range []struct {
		args map[string]any
		want string // lines, without the mark
	}{
		{map[string]any{"rule": "limit", "port": 22, "proto": "tcp", "comment": "ssh"},
			"limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=737368\nlimit tcp 22 ::/0 any ::/0 in comment=737368"},
		{map[string]any{"rule": "allow", "port": "443,80,100:200,100", "proto": "tcp", "from": "10.1.2.3/8"},
			"allow tcp 80,100,100:200,443 0.0.0.0/0 any 10.0.0.0/8 in"},
		{map[string]any{"rule": "allow", "from": "2001:db8:0:0::1/64", "log": true}, "allow_log any any ::/0 any 2001:db8::1/64 in"},
		{map[string]any{"rule": "deny", "to": "192.0.2.1/32", "from": "192.0.2.0/255.255.255.0"}, "deny any any 192.0.2.1 any 192.0.2.0/24 in"},
		{map[string]any{"rule": "allow", "port": "ssh", "from": "192.0.2.1"}, "allow tcp 22 0.0.0.0/0 any 192.0.2.1 in"},
		{map[string]any{"rule": "allow", "port": "domain", "proto": "udp", "from": "192.0.2.1"}, "allow udp 53 0.0.0.0/0 any 192.0.2.1 in"},
		{map[string]any{"rule": "allow", "name": "Nginx Full", "from": "192.0.2.1"}, "allow tcp 80,443 0.0.0.0/0 any 192.0.2.1 Nginx%20Full - in"},
		{map[string]any{"rule": "deny", "direction": "out", "interface": "eth0", "to": "192.0.2.1"}, "deny any any 192.0.2.1 any 0.0.0.0/0 out_eth0"},
		{map[string]any{"rule": "allow", "route": true, "interface_in": "a", "interface_out": "b", "to": "192.0.2.1"}, "route:allow any any 192.0.2.1 any 0.0.0.0/0 in_a!out_b"},
		{map[string]any{"rule": "allow", "proto": "igmp"}, "allow igmp any 0.0.0.0/0 any 0.0.0.0/0 in"},
	} {
		o, err := build(t, c.args)
		if err != nil {
			t.Errorf("%v: %v", c.args, err)
			continue
		}
		rules, err := o.wanted(known)
		if err != nil {
			t.Errorf("%v: %v", c.args, err)
		}
		var lines []string
		for _, r := range rules {
			lines = append(lines, strings.TrimPrefix(r.tuple(), tupleMark+" "))
		}
		if got := strings.Join(lines, "\n"); got != c.want {
			t.Errorf("%v:\ngot  %s\nwant %s", c.args, got, c.want)
		}
	}
}

func TestRefusedOptions(t *testing.T) {
	for _, c := range []struct {
		args map[string]any
		want string
	}{
		{map[string]any{}, "one of state, default, logging, rule and purge"},
		{map[string]any{"state": "enabled", "port": 22}, "say which with rule"},
		{map[string]any{"rule": "allow", "port": "22/tcp"}, "write the protocol as proto"},
		{map[string]any{"rule": "allow", "port": "70000"}, "not a port"},
		{map[string]any{"rule": "allow", "port": "20:10", "proto": "tcp"}, "does not go up"},
		{map[string]any{"rule": "allow", "port": "80,443"}, "need proto: tcp or udp"},
		{map[string]any{"rule": "allow", "port": 80, "proto": "esp"}, "has no ports"},
		{map[string]any{"rule": "allow", "from": "web01"}, "not an address"},
		{map[string]any{"rule": "allow", "from": "192.0.2.0/33"}, "not a mask"},
		{map[string]any{"rule": "allow", "from": "192.0.2.0/255.0.255.0"}, "not a row of ones"},
		{map[string]any{"rule": "allow", "from": "192.0.2.1", "to": "2001:db8::1"}, "different IP versions"},
		{map[string]any{"rule": "allow", "from": "2001:db8::1", "proto": "igmp"}, "IPv4 addresses only"},
		{map[string]any{"rule": "allow", "name": "X", "port": 1}, "name excludes"},
		{map[string]any{"rule": "allow", "interface": "eth0"}, "needs direction"},
		{map[string]any{"rule": "allow", "interface_in": "a", "interface_out": "b"}, "only a route rule"},
		{map[string]any{"rule": "allow", "direction": "in", "interface_out": "b"}, "contradicts"},
		{map[string]any{"rule": "allow", "direction": "incoming"}, "direction is in or out"},
		{map[string]any{"default": "deny", "direction": "in"}, "incoming, outgoing or routed"},
		{map[string]any{"rule": "allow", "insert": 0}, "counts from 1"},
		{map[string]any{"purge": []any{map[string]any{"port": "x y"}}}, "purge[0]"},
		{map[string]any{"rule": "allow", "insert": 1, "delete": true}, "exclude each other"},
	} {
		if _, err := build(t, c.args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want …%s…", c.args, err, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		insert int
		rel    string
		n4, n6 int
		v4, v6 bool
		want   place
	}{
		{1, "zero", 0, 0, true, true, place{}},
		{1, "zero", 3, 2, true, true, place{1, 1, 1}},
		{9, "zero", 3, 2, true, true, place{}},
		{4, "zero", 3, 2, true, true, place{4, 0, 1}},
		{4, "zero", 3, 2, true, false, place{}},
		{1, "zero", 3, 2, false, true, place{4, 0, 1}},
		{1, "zero", 3, 0, false, true, place{}},
		{0, "first-ipv4", 3, 2, true, true, place{1, 1, 1}},
		{0, "last-ipv4", 3, 2, true, false, place{3, 3, 3}},
		{1, "first-ipv6", 3, 2, false, true, place{5, 0, 2}},
		{0, "last-ipv6", 3, 2, false, true, place{5, 0, 2}},
		{1, "last-ipv6", 3, 2, false, true, place{}},
	} {
		o := &options{Insert: &c.insert, InsertRelativeTo: c.rel}
		if got := o.place(c.n4, c.n6, c.v4, c.v6); got != c.want {
			t.Errorf("%+v: got %+v", c, got)
		}
	}
}

func TestServices(t *testing.T) {
	const file = "# x\nssh 22/tcp # SSH\ndomain 53/tcp\ndomain 53/udp\nntp 123/udp\nhttp 80/tcp www\n"
	for name, want := range map[string]portProto{"ssh": {"22", "tcp"}, "domain": {"53", "any"}, "ntp": {"123", "udp"}, "www": {"80", "tcp"}} {
		if got, ok := findService(file, name); !ok || got != want {
			t.Errorf("%s: got %v %v", name, got, ok)
		}
	}
	if _, ok := findService(file, "SSH"); ok {
		t.Error("a comment was taken for a service")
	}
}

func TestProfiles(t *testing.T) {
	got := map[string]string{}
	readProfiles("[Nginx Full]\ntitle=Web\nports=80,443/tcp\n\n[DNS]\nPorts = 53\n", got)
	if got["Nginx Full"] != "80,443/tcp" || got["DNS"] != "53" {
		t.Errorf("got %v", got)
	}
	if p := profilePorts("443,80/tcp|8080/udp|53"); len(p) != 3 || p[0] != (portProto{"80,443", "tcp"}) || p[2] != (portProto{"53", "any"}) {
		t.Errorf("got %v", p)
	}
}

func TestReplacedInPlace(t *testing.T) {
	a := rule{action: "allow", dport: "22", comment: "ssh"}
	b := rule{action: "deny", dport: "25"}
	w := rule{action: "limit", dport: "22"}
	got := with([]rule{a, b}, w, nil, 2)
	if len(got) != 2 || got[0].action != "limit" || got[0].comment != "ssh" || got[1] != b {
		t.Errorf("got %v", got)
	}
	none := ""
	if got := with([]rule{a}, w, &none, 0); got[0].comment != "" {
		t.Errorf("the comment stayed: %v", got)
	}
	if got := without([]rule{a, b}, w); len(got) != 2 {
		t.Errorf("deleting limit took allow away: %v", got)
	}
}

func FuzzTuple(f *testing.F) {
	f.Add("### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=737368")
	f.Add("### tuple ### route:allow_log any any ::/0 any ::/0 in_eth0!out_eth1")
	f.Add("### tuple ### allow tcp 80,443 0.0.0.0/0 any 10.0.0.0/8 Nginx%20Full - in")
	f.Fuzz(func(t *testing.T, line string) {
		r, ok := parseTuple(line, false)
		if !ok {
			return
		}
		again, ok := parseTuple(r.tuple(), false)
		if !ok || again.tuple() != r.tuple() {
			t.Errorf("%q became %q, then %q", line, r.tuple(), again.tuple())
		}
	})
}
