package ufw

import (
	"bytes"
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// step is one run of ufw, and what it does to ufw's files.
type step struct {
	args    []string
	pretend func(host.Writer) error
}

// reload loads all rules anew.
var reload = step{[]string{"reload"}, pretendEnabled("yes", true)}

func (s step) run(ctx context.Context, w host.Writer) error {
	cmd := host.Command{Argv: append([]string{"ufw"}, s.args...), Pretend: s.pretend}
	out, err := w.Run(ctx, cmd)
	return host.Check(cmd, out, err)
}

// line is the command as a person would type it.
func (s step) line() string {
	words := []string{"ufw"}
	for _, a := range s.args {
		if strings.ContainsAny(a, " '\"") || a == "" {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// steps are the commands that lead from cur to want. The state comes last, so
// that a firewall is not loaded before its rules are there; reset first.
func (r *resource) steps(cur, want firewall) []step {
	var out []step
	if r.o.State == "reset" && (cur.enabled || len(cur.altered) > 0) {
		out = append(out, step{[]string{"--force", "reset"}, pretendReset})
		cur.rules, cur.rules6, cur.enabled, cur.running = nil, nil, false, false
	}
	if cur.logging != want.logging {
		out = append(out, step{[]string{"logging", want.logging}, setting(confFile, "LOGLEVEL", want.logging)})
	}
	for _, d := range directions {
		if p := want.policies.of(d); p != cur.policies.of(d) {
			key, value := "DEFAULT_"+chains[d]+"_POLICY", `"`+targets[p]+`"`
			out = append(out, step{[]string{"default", p, d}, setting(defaultsFile, key, value)})
		}
	}
	out = append(out, r.ruleSteps(cur, want)...)
	switch {
	case want.enabled && !cur.enabled:
		out = append(out, step{[]string{"--force", "enable"}, pretendEnabled("yes", true)})
	case want.enabled && !cur.running: // enable would hide an error here
		out = append(out, reload)
	case !want.enabled && cur.enabled:
		out = append(out, step{[]string{"disable"}, pretendEnabled("no", false)})
	case r.o.State == "reloaded" && cur.enabled && !r.reloaded:
		out = append(out, reload)
	}
	return out
}

// ruleSteps are the commands about rules: the task's own first, then one for
// each that goes.
func (r *resource) ruleSteps(cur, want firewall) []step {
	var out []step
	own, err := r.o.wanted(want.names)
	if err != nil || r.o.Rule == "" {
		own = nil // Desired has refused it
	}
	before := slices.Concat(cur.rules, cur.rules6)
	after := slices.Concat(want.rules, want.rules6)
	pretended := func(w host.Writer) error { return pretendRules(w, want) }
	if touches(own, before, after) {
		out = append(out, step{r.ownArgs(cur, want, own), pretended})
	}
	mine, stays := byMatch(own), byMatch(after)
	for _, gone := range before {
		_, isMine := mine[gone.match()]
		if _, there := stays[gone.match()]; isMine || there {
			continue
		}
		s := step{args: slices.Concat(gone.kind(), []string{"delete"}, gone.args(true)), pretend: pretended}
		if !slices.ContainsFunc(out, func(o step) bool { return o.line() == s.line() }) {
			out = append(out, s)
		}
	}
	return out
}

// touches reports whether any of the rules is another before and after.
func touches(rules, before, after []rule) bool {
	x, y := byMatch(before), byMatch(after)
	return slices.ContainsFunc(rules, func(r rule) bool {
		b, was := x[r.match()]
		a, is := y[r.match()]
		return was != is || b != a
	})
}

// ownArgs writes the task's rule as arguments of ufw.
func (r *resource) ownArgs(cur, want firewall, own []rule) []string {
	w := own[0]
	args := w.kind()
	if r.o.Delete {
		return append(append(args, "delete"), w.args(false)...)
	}
	if n := r.insertAt(cur, own); n > 0 {
		args = append(args, "insert", strconv.Itoa(n))
	}
	args = append(args, w.args(false)...)
	if c := commentOf(own, want); c != "" {
		args = append(args, "comment", c)
	}
	return args
}

// kind is what comes before delete and insert.
func (r rule) kind() []string {
	if r.route {
		return []string{"route"}
	}
	return nil
}

// args writes the rule's action and match as arguments of ufw. With exact, a
// network of everything is written as such, which fixes the IP version.
func (r rule) args(exact bool) []string {
	args := []string{r.action}
	switch {
	case r.in != "" && r.out != "":
		args = append(args, "in", "on", r.in, "out", "on", r.out)
	case r.in != "" || r.out != "":
		args = append(args, r.dir, "on", r.in+r.out)
	case !r.route:
		args = append(args, r.dir)
	}
	if r.log != "" {
		args = append(args, r.log)
	}
	if r.proto != "any" && r.dapp == "" && r.sapp == "" {
		args = append(args, "proto", r.proto)
	}
	for _, e := range []struct{ word, addr, app, port string }{{"from", r.src, r.sapp, r.sport}, {"to", r.dst, r.dapp, r.dport}} {
		if !exact {
			e.addr = anyOr(e.addr)
		}
		args = append(args, e.word, e.addr)
		switch {
		case e.app != "":
			args = append(args, "app", e.app)
		case e.port != "any":
			args = append(args, "port", e.port)
		}
	}
	return args
}

// insertAt is the number to insert at, 0 when the rule is appended or replaces
// one: ufw's insert leaves a rule of the same match as it is.
func (r *resource) insertAt(cur firewall, rules []rule) int {
	for _, w := range rules {
		same := func(c rule) bool { return c.match() == w.match() && c != w }
		if slices.ContainsFunc(cur.rules, same) || slices.ContainsFunc(cur.rules6, same) {
			return 0
		}
	}
	return r.o.place(len(cur.rules), len(cur.rules6), has(rules, false), cur.ipv6 && has(rules, true)).number
}

// has reports whether there are rules of that IP version.
func has(rules []rule, v6 bool) bool {
	return slices.ContainsFunc(rules, func(r rule) bool { return r.v6 == v6 })
}

// commentOf finds the comment the rules shall have, kept ones included.
func commentOf(rules []rule, want firewall) string {
	for _, list := range [][]rule{want.rules, want.rules6} {
		there := byMatch(list)
		for _, w := range rules {
			if c := there[w.match()].comment; c != "" {
				return c
			}
		}
	}
	return ""
}

func anyOr(addr string) string {
	if addr == "0.0.0.0/0" || addr == "::/0" {
		return "any"
	}
	return addr
}

// setting pretends that ufw changed KEY=value in a file.
func setting(file, key, value string) func(host.Writer) error {
	return func(w host.Writer) error {
		return edit(w, file, func(content []byte) []byte {
			lines := strings.SplitAfter(string(content), "\n")
			found := false
			for i, l := range lines {
				if strings.HasPrefix(l, key+"=") {
					lines[i], found = key+"="+value+"\n", true
				}
			}
			if !found {
				lines = append(lines, key+"="+value+"\n")
			}
			return []byte(strings.Join(lines, ""))
		})
	}
}

// pretendRules writes the tuples of both files; the iptables lines that follow
// a tuple are left out, nothing reads them in a dry run.
func pretendRules(w host.Writer, want firewall) error {
	err := edit(w, rulesFile, func(c []byte) []byte { return replaceTuples(c, want.rules) })
	if err != nil || !want.ipv6 {
		return err
	}
	return edit(w, rules6File, func(c []byte) []byte { return replaceTuples(c, want.rules6) })
}

func replaceTuples(content []byte, rules []rule) []byte {
	var out bytes.Buffer
	out.WriteString("*filter\n### RULES ###\n")
	for _, r := range rules {
		out.WriteString("\n" + r.tuple() + "\n")
	}
	out.WriteString("\n### END RULES ###\n")
	if _, rest, ok := bytes.Cut(content, []byte("### END RULES ###\n")); ok {
		out.Write(rest)
	} else {
		out.WriteString("COMMIT\n")
	}
	return out.Bytes()
}

func pretendEnabled(word string, running bool) func(host.Writer) error {
	return func(w host.Writer) error {
		if err := setting(confFile, "ENABLED", word)(w); err != nil {
			return err
		}
		w.Note("ufw", "running", running)
		return nil
	}
}

func pretendReset(w host.Writer) error {
	for _, name := range resetFiles {
		fresh, err := host.ReadFile(w, path.Join(packageRules, name))
		if err != nil {
			return err
		}
		if err := w.WriteFile(path.Join("/etc/ufw", name), bytes.NewReader(fresh), host.Attrs{}); err != nil {
			return err
		}
	}
	return pretendEnabled("no", false)(w)
}

func edit(w host.Writer, file string, change func([]byte) []byte) error {
	content, err := host.ReadFile(w, file)
	if err != nil {
		return err
	}
	return w.WriteFile(file, bytes.NewReader(change(content)), host.Attrs{})
}
