package inventory

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitPattern(t *testing.T) {
	for pattern, want := range map[string]string{
		"a:b,c":                   "a|b|c",
		"web:&prod:!web02":        "web|&prod|!web02",
		"web[0:2]:db[1:]":         "web[0:2]|db[1:]",
		"~web[1,2]{1,2}:~(a:b),c": "~web[1,2]{1,2}|~(a:b)|c",
		`~a\(:b`:                  `~a\(|b`,
		"!~a{1,2}":                "!~a{1,2}",
		"2001:db8::1":             "2001:db8::1",
		"!2001:db8::1,web":        "!2001:db8::1|web",
		"[2001:db8::1]:web":       "[2001:db8::1]|web",
		" a : b , ,:":             "a|b",
		"":                        "",
	} {
		if got := strings.Join(splitPattern(pattern), "|"); got != want {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
}

// FuzzMatch: a pattern never gives a host twice, nor one that is not there, and
// limiting to a pattern gives nothing that the pattern does not.
func FuzzMatch(f *testing.F) {
	for _, s := range []string{"web:&db:!web1", "~w.*", "web[0:1]", "[", "*[-1]", "!", "&", "web[9]", "~(", "[a-", "web[1:2],@x"} {
		f.Add(s)
	}
	inv, diags := Load(f.Context(), []string{"web1,web2,db1,::1,"}, Options{})
	if diags.Len() > 0 {
		f.Fatal(diags.Err())
	}
	inv.AddHost("web1", []string{"web", "db"}, nil)
	inv.AddHost("web2", []string{"web"}, nil)
	all := inv.Hosts()
	f.Fuzz(func(t *testing.T, pattern string) {
		hosts, err := inv.Match(pattern)
		if err != nil {
			return
		}
		for i, h := range hosts {
			if slices.Contains(hosts[:i], h) || !h.Implicit() && !slices.Contains(all, h) {
				t.Fatalf("%q gives %v", pattern, hosts)
			}
		}
		if strings.Contains(pattern, "@") {
			return
		}
		limited, err := inv.Limit(all, pattern)
		if err != nil {
			t.Fatalf("%q is a pattern but no limit: %v", pattern, err)
		}
		for _, h := range limited {
			if !slices.Contains(hosts, h) {
				t.Fatalf("limit %q gives %v, the pattern %v", pattern, limited, hosts)
			}
		}
	})
}
