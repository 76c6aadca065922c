package diag_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/go-multierror"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

func at(file string, line, col int) diag.Pos { return diag.Pos{File: file, Line: line, Col: col} }

func TestPosString(t *testing.T) {
	for want, p := range map[string]diag.Pos{
		"":            {},
		"site.yml":    {File: "site.yml"},
		"site.yml:3":  at("site.yml", 3, 0),
		"a b.yml:3:7": at("a b.yml", 3, 7),
	} {
		if got := p.String(); got != want {
			t.Errorf("%#v: %q, want %q", p, got, want)
		}
		if p.IsZero() != (want == "") {
			t.Errorf("%#v: IsZero %v", p, p.IsZero())
		}
	}
}

func TestPosBefore(t *testing.T) {
	inOrder := []diag.Pos{{}, {File: "a"}, at("a", 1, 0), at("a", 1, 2), at("a", 1, 10), at("a", 2, 1), at("b", 1, 1)}
	for i, p := range inOrder {
		for j, q := range inOrder {
			if p.Before(q) != (i < j) {
				t.Errorf("%v before %v: %v", p, q, p.Before(q))
			}
		}
	}
}

func TestDiagnosticError(t *testing.T) {
	for want, d := range map[string]diag.Diagnostic{
		"no such thing":                        {Message: "no such thing"},
		"f.yml:2:3: no such thing":             diag.Errorf(at("f.yml", 2, 3), "no such %s", "thing"),
		"f.yml:2:3: no such thing (use thong)": diag.Errorf(at("f.yml", 2, 3), "no such thing").WithHint("use %s", "thong"),
	} {
		if got := d.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func messages(l diag.List) []string {
	out := []string{}
	for _, d := range l.All() {
		out = append(out, d.Message)
	}
	return out
}

func TestListIsSortedAndWithoutDuplicates(t *testing.T) {
	var l diag.List
	l.Errorf(at("b", 1, 1), "4")
	l.Errorf(at("a", 10, 1), "3")
	l.Errorf(at("a", 2, 9), "2")
	l.Errorf(at("a", 2, 9), "1")
	var more diag.List
	more.Errorf(at("a", 2, 9), "2")
	more.Errorf(diag.Pos{}, "0")
	l.Merge(more)
	if got, want := messages(l), []string{"0", "1", "2", "3", "4"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if l.Len() != 6 {
		t.Errorf("Len is %d: it counts what was added", l.Len())
	}
}

func TestListErr(t *testing.T) {
	var l diag.List
	if l.Err() != nil || l.HasErrors() {
		t.Error("an empty list is not an error")
	}
	l.Add(diag.Diagnostic{Severity: diag.Warning, Message: "careful"})
	if l.Err() != nil || l.HasErrors() {
		t.Error("a warning is not an error")
	}
	l.Errorf(at("f", 2, 1), "second")
	l.Errorf(at("f", 1, 1), "first")
	err := l.Err()
	if !l.HasErrors() || err == nil || err.Error() != "f:1:1: first\nf:2:1: second" {
		t.Errorf("got %v", err)
	}
	var d diag.Diagnostic
	if !errors.As(err, &d) || d.Message != "first" {
		t.Errorf("errors.As finds %#v", d)
	}
}

func TestListAddError(t *testing.T) {
	where := at("here", 1, 1)
	own := diag.Errorf(at("there", 2, 2), "own place")
	for name, c := range map[string]struct {
		err  error
		want []string // as Error shows them
	}{
		"nil":        {nil, nil},
		"plain":      {errors.New("plain"), []string{"here:1:1: plain"}},
		"diagnostic": {own, []string{"there:2:2: own place"}},
		"wrapped":    {fmt.Errorf("read: %w", own), []string{"there:2:2: own place"}},
		"many":       {multierror.Append(nil, errors.New("one"), own), []string{"here:1:1: one", "there:2:2: own place"}},
		"joined":     {errors.Join(errors.New("one"), own, multierror.Append(nil, errors.New("two"))), []string{"here:1:1: one", "here:1:1: two", "there:2:2: own place"}},
	} {
		t.Run(name, func(t *testing.T) {
			var l diag.List
			l.AddError(where, c.err)
			var got []string
			for _, d := range l.All() {
				got = append(got, d.Error())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNear(t *testing.T) {
	for _, c := range []struct {
		name       string
		candidates []string
		want       []string
	}{
		{"tempalte", []string{"template", "copy", "file"}, []string{"template"}},
		{"gather-facts", []string{"gather_facts", "gather_subset"}, []string{"gather_facts"}},
		{"Become", []string{"become", "become_user"}, []string{"become"}},
		{"hots", []string{"hosts", "host", "vars"}, []string{"host", "hosts"}},
		{"nmae", []string{"name", "mode"}, []string{"name"}},
		{"x", []string{"y", "abc"}, []string{"y"}},
		{"same", []string{"same"}, nil},
		{"zzzz", []string{"hosts"}, nil},
		{"", []string{"a"}, []string{"a"}},
		{"abcd", []string{"abcz", "abcy", "abcx", "abcw"}, []string{"abcw", "abcx", "abcy"}},
		{"pört", []string{"port"}, []string{"port"}},
	} {
		if got := diag.Near(c.name, c.candidates); !slices.Equal(got, c.want) {
			t.Errorf("Near(%q, %q) = %q, want %q", c.name, c.candidates, got, c.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	for want, candidates := range map[string][]string{
		"":                                {"zzzzzzz"},
		`did you mean "hosts"?`:           {"hosts"},
		`did you mean "host" or "hosts"?`: {"hosts", "host"},
	} {
		if got := diag.DidYouMean("hots", candidates); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzNear(f *testing.F) {
	f.Add("hots", "hosts,vars")
	f.Add("é", "e,É")
	f.Fuzz(func(t *testing.T, name, list string) {
		candidates := strings.Split(list, ",")
		got := diag.Near(name, candidates)
		if len(got) > 3 {
			t.Fatalf("%d names", len(got))
		}
		for i, g := range got {
			if g == name || !slices.Contains(candidates, g) || slices.Contains(got[:i], g) {
				t.Fatalf("Near(%q, %q) = %q", name, candidates, got)
			}
		}
	})
}
