package ufw

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

// rule is one line "### tuple ###" of user.rules or user6.rules:
//
//	[route:]action[_log] proto dport dst sport src [dapp sapp] dir[_iface] [comment=hex]
//
// The notation is that of ufw 0.36 (backend_iptables, reading and writing
// rules). Ports are "any" when there is none.
type rule struct {
	v6         bool
	action     string // allow, deny, reject, limit
	log        string // "", "log", "log-all"
	route      bool
	dir        string // in, out
	in, out    string // interfaces
	proto      string
	src, sport string
	dst, dport string
	sapp, dapp string
	comment    string
}

const tupleMark = "### tuple ###"

// match is the rule without what a new rule of the same match replaces.
func (r rule) match() rule {
	r.action, r.log, r.comment = "", "", ""
	return r
}

// parseTuple reads a tuple line; ok is false for any other line, and for a
// tuple that ufw too would skip.
func parseTuple(line string, v6 bool) (r rule, ok bool) {
	text, ok := strings.CutPrefix(line, tupleMark)
	if !ok {
		return r, false
	}
	text, comment, _ := strings.Cut(text, " comment=")
	decoded, err := hex.DecodeString(strings.TrimSpace(comment))
	if err != nil {
		return r, false
	}
	f := strings.Fields(text)
	if len(f) < 6 || len(f) > 9 {
		return r, false
	}
	r = rule{v6: v6, proto: f[1], dport: f[2], dst: f[3], sport: f[4], src: f[5], dir: "in", comment: string(decoded)}
	action, isRoute := strings.CutPrefix(f[0], "route:")
	r.route = isRoute
	r.action, r.log, _ = strings.Cut(action, "_")
	if len(f) >= 8 {
		r.dapp, r.sapp = appName(f[6]), appName(f[7])
	}
	if len(f) == 7 || len(f) == 9 {
		ok = r.setInterfaces(f[len(f)-1])
	}
	known := slices.Contains([]string{"allow", "deny", "reject", "limit"}, r.action) &&
		slices.Contains([]string{"", "log", "log-all"}, r.log)
	return r, ok && known
}

func appName(field string) string {
	if field == "-" {
		return ""
	}
	return strings.ReplaceAll(field, "%20", " ")
}

var interfaceField = regexp.MustCompile(`^(?:(in|out)|(?:in_([^\s!]+)(?:!out_([^\s!]+))?)|(?:out_([^\s!]+)))$`)

// setInterfaces reads "in", "out_eth1" or "in_eth0!out_eth1".
func (r *rule) setInterfaces(field string) bool {
	m := interfaceField.FindStringSubmatch(field)
	if m == nil {
		return false
	}
	r.in, r.out = m[2], m[3]+m[4]
	r.dir = "in"
	if m[1] == "out" || m[4] != "" {
		r.dir = "out"
	}
	return true
}

// tuple writes the rule as its tuple line.
func (r rule) tuple() string {
	action := r.action
	if r.route {
		action = "route:" + action
	}
	if r.log != "" {
		action += "_" + r.log
	}
	f := []string{tupleMark, action, r.proto, r.dport, r.dst, r.sport, r.src}
	if r.dapp != "" || r.sapp != "" {
		f = append(f, appField(r.dapp), appField(r.sapp))
	}
	f = append(f, r.interfaces())
	if r.comment != "" {
		f = append(f, "comment="+hex.EncodeToString([]byte(r.comment)))
	}
	return strings.Join(f, " ")
}

func appField(name string) string {
	if name == "" {
		return "-"
	}
	return strings.ReplaceAll(name, " ", "%20")
}

func (r rule) interfaces() string {
	switch {
	case r.in != "" && r.out != "":
		return "in_" + r.in + "!out_" + r.out
	case r.in != "" || r.out != "":
		return r.dir + "_" + r.in + r.out
	}
	return r.dir
}

// String is the rule as people read it: "allow in 22/tcp from 192.0.2.0/24".
func (r rule) String() string {
	var b strings.Builder
	if r.route {
		b.WriteString("route ")
	}
	b.WriteString(r.action + " " + r.dir)
	for _, on := range []string{r.in, r.out} {
		if on != "" {
			b.WriteString(" on " + on)
		}
	}
	if r.log != "" {
		b.WriteString(" " + r.log)
	}
	fmt.Fprintf(&b, " from %s to %s", end(r.src, r.sport, r.sapp, r.proto), end(r.dst, r.dport, r.dapp, r.proto))
	if r.comment != "" {
		fmt.Fprintf(&b, " (%s)", r.comment)
	}
	return b.String()
}

func end(addr, port, app, proto string) string {
	if addr == "0.0.0.0/0" || addr == "::/0" {
		addr = "any"
	}
	switch {
	case app != "":
		return addr + " app " + app
	case port != "any":
		if proto != "any" {
			port += "/" + proto
		}
		return addr + " port " + port
	}
	return addr
}

// with adds w to the list at pos (1-based; beyond the end or 0: last), or puts
// it in the place of the rule with the same match. A nil comment keeps what is
// there.
func with(list []rule, w rule, comment *string, pos int) []rule {
	out := make([]rule, 0, len(list)+1)
	found := false
	for _, r := range list {
		if r.match() == w.match() {
			found = true
			if comment == nil {
				w.comment = r.comment
			}
			r = w
		}
		out = append(out, r)
	}
	switch {
	case found:
		return out
	case pos < 1 || pos > len(list):
		return append(out, w)
	}
	out = append(out[:pos-1], append([]rule{w}, out[pos-1:]...)...)
	return out
}

// without leaves out the rules that are w, whatever their comment.
func without(list []rule, w rule) []rule {
	var out []rule
	for _, r := range list {
		if r.match() != w.match() || r.action != w.action || r.log != w.log {
			out = append(out, r)
		}
	}
	return out
}

// diffRules compares as sets: the order of rules that are there is not the
// task's business.
func diffRules(field string, cur, want []rule) []modules.Change {
	var out []modules.Change
	before := byMatch(cur)
	after := byMatch(want)
	for _, w := range want {
		c, there := before[w.match()]
		switch {
		case !there:
			out = append(out, modules.Change{Field: field, After: w.String()})
		case c != w:
			out = append(out, modules.Change{Field: field, Before: c.String(), After: w.String()})
		}
	}
	for _, c := range cur {
		if _, stays := after[c.match()]; !stays {
			out = append(out, modules.Change{Field: field, Before: c.String()})
		}
	}
	return out
}

func byMatch(list []rule) map[rule]rule {
	out := make(map[rule]rule, len(list))
	for _, r := range list {
		out[r.match()] = r
	}
	return out
}
