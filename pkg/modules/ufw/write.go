package ufw

import (
	"bytes"
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
	if len(diffRules("", cur.rules, want.rules))+len(diffRules("", cur.rules6, want.rules6)) > 0 {
		out = append(out, step{r.ruleArgs(cur, want), func(w host.Writer) error { return pretendRules(w, want) }})
	}
	switch {
	case want.enabled && !(cur.enabled && cur.running):
		out = append(out, step{[]string{"--force", "enable"}, pretendEnabled("yes", true)})
	case !want.enabled && cur.enabled:
		out = append(out, step{[]string{"disable"}, pretendEnabled("no", false)})
	case r.o.State == "reloaded" && cur.enabled && !r.reloaded:
		out = append(out, step{[]string{"reload"}, func(host.Writer) error { return nil }})
	}
	return out
}

// ruleArgs writes the rule as arguments of ufw.
func (r *resource) ruleArgs(cur, want firewall) []string {
	rules, err := r.o.wanted(want.names)
	if err != nil || len(rules) == 0 {
		return nil // Desired has refused it
	}
	w := rules[0]
	var args []string
	if w.route {
		args = append(args, "route")
	}
	if r.o.Delete {
		args = append(args, "delete")
	} else if n := r.insertAt(cur, rules); n > 0 {
		args = append(args, "insert", strconv.Itoa(n))
	}
	args = append(args, w.action)
	switch {
	case w.in != "" && w.out != "":
		args = append(args, "in", "on", w.in, "out", "on", w.out)
	case w.in != "" || w.out != "":
		args = append(args, w.dir, "on", w.in+w.out)
	case !w.route:
		args = append(args, w.dir)
	}
	if w.log != "" {
		args = append(args, w.log)
	}
	if w.proto != "any" && w.dapp == "" {
		args = append(args, "proto", w.proto)
	}
	args = append(args, "from", anyOr(w.src))
	if w.sport != "any" {
		args = append(args, "port", w.sport)
	}
	args = append(args, "to", anyOr(w.dst))
	switch {
	case w.dapp != "":
		args = append(args, "app", w.dapp)
	case w.dport != "any":
		args = append(args, "port", w.dport)
	}
	if c := commentOf(rules, want); c != "" && !r.o.Delete {
		args = append(args, "comment", c)
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
