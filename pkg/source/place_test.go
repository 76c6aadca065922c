package source

import (
	"github.com/foobar-play/foobar-play/pkg/diag"

	"strings"
	"testing"
)

// Every "@" marks a place: the decoded text's offset of it must lead back to
// where it is written.
func TestPlace(t *testing.T) {
	for name, text := range map[string]string{
		"plain":             "a: b @c @\n",
		"plain folded":      "a: b @c\n   more @\n\n   still @x\n",
		"double":            "a: \"b \\\"q\\\" @ \\u00e9\\x41\\U0001F600 @\\n@\"\n",
		"double folded":     "a: \"b \\\n   @c\n    d @e\n\n  f\\n@\"\n",
		"double unicode":    "äö: \"ü @ é @\"\n",
		"single":            "a: 'it''s @ ''@'''\n",
		"literal":           "a:\n  b: |\n    one @\n      two @\n\n    three @ @\n",
		"literal indicator": "a: |2\n     one @\n  two @\n",
		"literal stripped":  "a: |-\n  one   \n  @two\n",
		"folded":            "a: >-\n  one @\n  two @\n\n  three @\n",
		"literal top":       "- |\n  @x\n- >\n  y @\n",
		"flow":              "a: [x, \"@y\", z @, 'w @']\n",
		"tag and anchor":    "a: !unsafe \"x @\"\nb: &x 'y @'\nc: !t |\n  @z\n",
		"CRLF":              "a: |\r\n  one @\r\n  two @\r\nb: \"x @\"\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			n, l := Parse("f.yml", []byte(text))
			if l.Len() > 0 {
				t.Fatal(l.Err())
			}
			seen := 0
			each(n, func(s *Node) {
				str, _ := s.Text()
				for i := range str {
					if str[i] != '@' {
						continue
					}
					seen++
					p := s.Place(i)
					lines := strings.Split(text, "\n")
					line := []rune(lines[min(p.Line, len(lines))-1])
					if p.Col < 1 || p.Col > len(line) || line[p.Col-1] != '@' {
						t.Errorf("offset %d of %q leads to %v", i, str, p)
					}
				}
			})
			if seen != strings.Count(text, "@") {
				t.Errorf("%d marks seen", seen)
			}
		})
	}
}

func each(n *Node, f func(*Node)) {
	f(n)
	for _, i := range n.Items {
		each(i, f)
	}
	for _, fl := range n.Fields {
		each(fl.Node, f)
	}
}

func TestPlaceOfFromText(t *testing.T) {
	pos := diag.Pos{File: "f", Line: 3, Col: 7}
	for written, want := range map[string]string{
		`ab{{ x }} # c`:  "f:3:9",
		`"ab{{ x }}" y`:  "f:3:10",
		`"\x61b{{ x }}"`: "f:3:13",
		"":               "f:3:7",
	} {
		if got := FromText("ab{{ x }}", pos, written).Place(2).String(); got != want {
			t.Errorf("%s: %s, want %s", written, got, want)
		}
	}
}
