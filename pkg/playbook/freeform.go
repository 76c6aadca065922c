package playbook

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/source"
)

// word is a piece of a task's bare string, with its bytes' place in it.
type word struct {
	text       string
	start, end int
}

// splitWords splits at white space; quotes and {{ … }} hold together what is
// in them and stay in the text. ok is false when one of them is not closed.
func splitWords(s string) (words []word, ok bool) {
	start, quote := -1, rune(0)
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case quote == 0 && strings.HasPrefix(s[i:], "{{"):
			end := strings.Index(s[i:], "}}")
			if end < 0 {
				return nil, false
			}
			if start < 0 {
				start = i
			}
			size = end + len("}}")
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case unicode.IsSpace(c):
			if start >= 0 {
				words = append(words, word{s[start:i], start, i})
				start = -1
			}
		default:
			if start < 0 {
				start = i
			}
			if c == '\'' || c == '"' {
				quote = c
			}
		}
		i += size
	}
	if start >= 0 {
		words = append(words, word{s[start:], start, len(s)})
	}
	return words, quote == 0
}

var assignment = regexp.MustCompile(`(?s)^([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)

// option splits "k=v", the value's quotes taken off.
func (w word) option() (k, v string, at int, ok bool) {
	m := assignment.FindStringSubmatch(w.text)
	if m == nil {
		return "", "", 0, false
	}
	k, v, at = m[1], m[2], w.start+len(m[1])+1
	if len(v) >= 2 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
		v, at = v[1:len(v)-1], at+1
	}
	return k, v, at, true
}

// bare reads a task's bare string: words "k=v" are options, the rest goes to
// the module's free-form option.
func (r *reader) bare(mod *modules.Module, n *source.Node) *source.Node {
	text, _ := n.Text()
	out := &source.Node{Kind: source.Map, Pos: n.Pos}
	words, ok := splitWords(text)
	if !ok && mod.FreeForm == "" {
		r.errorf(n.Pos, "a quote or a {{ is not closed in %q", brief(text))
		return nil
	}
	rest, cut := text, 0
	for _, w := range words {
		k, v, at, isOption := w.option()
		if !isOption || !takes(mod, k) {
			if mod.FreeForm == "" {
				r.hint(n.Place(w.start), "write options as a map, or as key=value", "module %s takes no bare text: %q", mod.Name, brief(w.text))
				return nil
			}
			continue
		}
		pos := n.Place(at)
		out.Fields = append(out.Fields, source.Field{Name: k, Pos: n.Place(w.start),
			Node: &source.Node{Kind: source.String, Scalar: v, Pos: pos}})
		rest = rest[:w.start-cut] + rest[w.end-cut:]
		cut += w.end - w.start
	}
	if mod.FreeForm == "" {
		return out
	}
	free := n
	if cut > 0 {
		free = &source.Node{Kind: source.String, Scalar: strings.TrimSpace(rest), Pos: n.Pos}
	}
	if s, _ := free.Text(); s != "" || len(out.Fields) == 0 {
		out.Fields = append(out.Fields, source.Field{Name: mod.FreeForm, Pos: n.Pos, Node: free})
	}
	return out
}

// takes reports whether k=v in a bare string is an option. A module that runs
// a command line leaves every k=v alone that it does not know; one that takes
// no bare text sees its options in all of them.
func takes(mod *modules.Module, k string) bool {
	if mod.FreeForm == "" {
		return true
	}
	o, ok := mod.Option(k)
	return ok && !o.Internal && !(k == "cmd" || k == "argv")
}
