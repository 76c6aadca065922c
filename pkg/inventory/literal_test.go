package inventory

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadLiteral(t *testing.T) {
	m := func(kv ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			out[kv[i].(string)] = kv[i+1]
		}
		return out
	}
	for text, want := range map[string]any{
		"5": 5, "-5": -5, "+5": 5, "0": 0, "1_000": 1000, "0x1F": 31, "0b101": 5, "  7": 7, "7  # x": 7,
		"1.5": 1.5, "1.": 1.0, ".5": .5, "1e3": 1000.0, "1E-2": .01, "-0.5": -.5,
		"True": true, "False": false, "None": nil,
		"'a'": "a", `"a b"`: "a b", `'a' "b"`: "ab", `'''a'b'''`: "a'b", `r'\n'`: `\n`, `u'x'`: "x", `b'x'`: "x",
		`'a\n\t\\\'\x41\u00e9\U0001F600\101\q'`: "a\n\t\\'Aé😀A\\q",
		"[]":                                    []any{}, "[1, 'a', [True]]": []any{1, "a", []any{true}}, "[1,]": []any{1},
		"()": []any{}, "(1)": 1, "(1,)": []any{1}, "(1, 2)": []any{1, 2}, "1, 2": []any{1, 2}, "1,": []any{1},
		"{}": m(), "{'a': 1, 'b': {2: None}}": m("a", 1, "b", m("2", nil)), "{1, 2}": []any{1, 2}, "{'a': 1,}": m("a", 1),
		`{"a": true, "b": [null, false]}`: m("a", true, "b", []any{nil, false}),
	} {
		if got, literal := readLiteral(text); !literal || !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %#v (%v), want %#v", text, got, literal, want)
		}
	}
}

func TestReadLiteralLeavesText(t *testing.T) {
	for _, text := range []string{
		"", "abc", "a b", "yes", "true", "null", "0644", "0o644", "00", "-0644", "1.2.3", "192.0.2.1", "2024-01-01", "5 m", "5j",
		"1__0", "0x", "1 + 2", "--5", "1e", ".", "-", "'open", "'a' b", `'\x4'`, `'\U00110000'`, "[1", "[1 2]", "[a]", "{'a'}}", "{'a': }", "{'a': 1 'b': 2}",
		"{a: 1}", "(", ",", "{{ .x }}", "{{ 1 }}", "[{{ .x }}]", "99999999999999999999", "inf", "nan", "TrueX", "f'x'", `"\`,
		strings.Repeat("[", 1000),
	} {
		if got, literal := readLiteral(text); literal || got != text {
			t.Errorf("%s = %#v (%v), want the text", text, got, literal)
		}
	}
}

func FuzzReadLiteral(f *testing.F) {
	for _, s := range []string{"[1, 'a', {'b': None}]", `"\x41" r'\q'`, "(1,)", "{1:2,}", "-0x_1", "'''a'''"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, literal := readLiteral(text)
		if !literal && v != text {
			t.Fatalf("%q changed to %#v without being a literal", text, v)
		}
	})
}
