package inventory

import (
	"strings"
	"testing"
)

func TestSplitLine(t *testing.T) {
	for line, want := range map[string]string{
		"a b  c":          "a|b|c",
		`x="a b" y='c d'`: "x=a b|y=c d",
		`x=a\ b`:          "x=a b",
		`x="a\"b\n"`:      `x=a"b\n`,
		`x='a\'`:          `x=a\`,
		`"" ''`:           "|",
		"a # b":           "a",
		"a#b":             "a",
		`"a#b"`:           "a#b",
		`a\#b`:            "a#b",
		"\ta\t":           "a",
		"é=ü":             "é=ü",
	} {
		tokens, err := splitLine(line)
		var got []string
		for _, tok := range tokens {
			got = append(got, tok.text)
		}
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: %q, %v; want %q", line, got, err, want)
		}
	}
	for _, line := range []string{`"a`, `'a`, `a\`} {
		if _, err := splitLine(line); err == nil {
			t.Errorf("%s: no error", line)
		}
	}
}

func TestINIPositions(t *testing.T) {
	text := "  wéb01 a=1 \"b=x y\" c='z'\r\n[g:vars]\n key =  value\n"
	c, diags := parseINI("f", []byte(text))
	if diags.Len() > 0 {
		t.Fatal(diags.Err())
	}
	h := c.groups[0].hosts[0]
	if got := h.pos.String(); got != "f:1:3" {
		t.Error("host at", got)
	}
	want := [][2]string{{"f:1:9", "f:1:11"}, {"f:1:14", "f:1:16"}, {"f:1:21", "f:1:24"}}
	for i, v := range h.vars {
		if v.pos.String() != want[i][0] || v.node.Pos.String() != want[i][1] {
			t.Errorf("%s at %s, value at %s; want %s", v.name, v.pos, v.node.Pos, want[i])
		}
	}
	g := c.groups[1]
	if v := g.vars[0]; g.pos.String() != "f:2:2" || v.pos.String() != "f:3:2" || v.node.Pos.String() != "f:3:9" {
		t.Errorf("group %s, variable %s, value %s", g.pos, v.pos, v.node.Pos)
	}
}

// FuzzParseINI: whatever the text, positions are inside it and what is named
// is valid.
func FuzzParseINI(f *testing.F) {
	for _, s := range []string{
		"[web]\nweb[01:03] a=1 b=\"x y\" # c\n[web:vars]\nx=[1,\n[web:children]\ndb\n", "[\n[a:b:c]\n]\n[]", "h:22 x\n\"", "[a]b\n[::1]:2 =\n", "a\\\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, diags := parseINI("f", []byte(text))
		total := strings.Split(text, "\n")
		for _, d := range diags.All() {
			if d.Pos.Line > len(total) || d.Pos.Line > 0 && d.Pos.Col > len([]rune(total[d.Pos.Line-1]))+1 {
				t.Fatalf("%q: %v is outside", text, d)
			}
		}
		for _, g := range c.groups {
			if err := checkGroupName(g.name); err != nil {
				t.Fatal(err)
			}
			for _, h := range g.hosts {
				for _, n := range h.names {
					if err := checkHostName(n); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}
