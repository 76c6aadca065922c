package value_test

import (
	"encoding/json"
	"math"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/value"
)

type named string

type loud int

func (loud) String() string { return "LOUD" }

type tree struct {
	Name   string         `json:"name"`
	Size   int64          `json:"size,omitempty"`
	Kids   []tree         `json:"kids,omitempty"`
	Extra  map[string]any `json:"extra,omitempty"`
	hidden int
}

func TestNormalize(t *testing.T) {
	five := 5
	var nobody *url.URL
	for name, c := range map[string]struct{ in, want any }{
		"null":                 {nil, nil},
		"bool":                 {true, true},
		"int":                  {7, 7},
		"float":                {1.5, 1.5},
		"whole float":          {2.0, 2.0},
		"string":               {"s", "s"},
		"unknown":              {value.Unknown{Reason: "r"}, value.Unknown{Reason: "r"}},
		"int8":                 {int8(-8), -8},
		"int64":                {int64(1) << 40, 1 << 40},
		"uint16":               {uint16(16), 16},
		"uint64 beyond int":    {uint64(math.MaxUint64), float64(math.MaxUint64)},
		"float32":              {float32(0.5), 0.5},
		"named string":         {named("n"), "n"},
		"stringer":             {loud(3), "LOUD"},
		"duration":             {90 * time.Second, "1m30s"},
		"nil stringer":         {nobody, nil},
		"bytes":                {[]byte("raw"), "raw"},
		"pointer":              {&five, 5},
		"nil pointer":          {(*int)(nil), nil},
		"json int":             {json.Number("42"), 42},
		"json float":           {json.Number("4.5"), 4.5},
		"json beyond int":      {json.Number("18446744073709551615"), float64(math.MaxUint64)},
		"json no number":       {json.Number("1e999"), "1e999"},
		"list":                 {[]any{int32(1), []byte("b")}, []any{1, "b"}},
		"nil list":             {[]any(nil), []any{}},
		"strings":              {[]string{"a", "b"}, []any{"a", "b"}},
		"array":                {[2]uint8{1, 2}, []any{1, 2}},
		"map":                  {map[string]any{"a": int64(1)}, map[string]any{"a": 1}},
		"map of ints":          {map[int]string{1: "one"}, map[string]any{"1": "one"}},
		"map of named strings": {map[named]int{"n": 1}, map[string]any{"n": 1}},
		"map of interfaces":    {map[any]any{true: uint(1)}, map[string]any{"true": 1}},
		"struct": {tree{Name: "t", Size: 1 << 60, Kids: []tree{{Name: "k"}}, hidden: 1},
			map[string]any{"name": "t", "size": 1 << 60, "kids": []any{map[string]any{"name": "k"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := value.Normalize(c.in); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %#v, want %#v", got, c.want)
			}
		})
	}
}

func TestNormalizeCopies(t *testing.T) {
	in := map[string]any{"list": []any{1}, "map": map[string]any{"k": 1}}
	out := value.Normalize(in).(map[string]any)
	out["list"].([]any)[0] = 2
	out["map"].(map[string]any)["k"] = 2
	out["new"] = true
	if want := map[string]any{"list": []any{1}, "map": map[string]any{"k": 1}}; !reflect.DeepEqual(in, want) {
		t.Errorf("the original was changed: %v", in)
	}
}

func TestEqual(t *testing.T) {
	type m = map[string]any
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{nil, nil, true},
		{nil, false, false},
		{nil, "", false},
		{nil, []any{}, false},
		{1, 1.0, true},
		{int64(1), uint8(1), true},
		{1, "1", false},
		{1, true, false},
		{0, nil, false},
		{"a", "a", true},
		{"a", "A", false},
		{true, true, true},
		{"true", true, false},
		{1 << 53, 1<<53 + 1, false},
		{1<<53 + 1, float64(1 << 53), false},
		{1 << 53, float64(1 << 53), true},
		{math.MaxInt, float64(math.MaxInt), false},
		{math.NaN(), math.NaN(), false},
		{math.Inf(1), math.Inf(1), true},
		{math.Inf(1), math.MaxInt, false},
		{[]any{1, "a"}, []any{1.0, "a"}, true},
		{[]string{"a"}, []any{"a"}, true},
		{[]any{1, 2}, []any{2, 1}, false},
		{[]any{1}, []any{1, 1}, false},
		{[]any{}, m{}, false},
		{m{"a": 1, "b": nil}, m{"a": 1.0, "b": nil}, true},
		{m{"a": nil}, m{"b": nil}, false},
		{m{"a": 1}, m{"a": 1, "b": 1}, false},
		{m{"a": []any{m{"b": 2}}}, m{"a": []any{m{"b": 2}}}, true},
		{"[]", []any{}, false},
		{value.Unknown{}, value.Unknown{}, false},
		{value.Unknown{}, nil, false},
		{[]any{value.Unknown{}}, []any{value.Unknown{}}, false},
	} {
		if got := value.Equal(c.a, c.b); got != c.want {
			t.Errorf("Equal(%#v, %#v) = %v", c.a, c.b, got)
		}
		if got := value.Equal(c.b, c.a); got != c.want {
			t.Errorf("Equal(%#v, %#v) = %v", c.b, c.a, got)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		a, b any
		want int
		ok   bool
	}{
		{1, 2, -1, true},
		{1, 1.0, 0, true},
		{uint8(3), 2.5, 1, true},
		{1 << 53, 1<<53 + 1, -1, true},
		{math.MaxInt, math.Inf(1), -1, true},
		{"a", "b", -1, true},
		{"b", "b", 0, true},
		{"10", "9", -1, true}, // text, not numbers
		{"1", 1, 0, false},
		{nil, nil, 0, false},
		{true, false, 0, false},
		{[]any{1}, []any{2}, 0, false},
		{math.NaN(), 1, 0, false},
		{value.Unknown{}, 1, 0, false},
	} {
		if got, ok := value.Compare(c.a, c.b); got != c.want || ok != c.ok {
			t.Errorf("Compare(%#v, %#v) = %d, %v", c.a, c.b, got, ok)
		}
		if got, ok := value.Compare(c.b, c.a); got != -c.want || ok != c.ok {
			t.Errorf("Compare(%#v, %#v) = %d, %v", c.b, c.a, got, ok)
		}
	}
}

func TestBool(t *testing.T) {
	for _, c := range []struct {
		in   any
		want bool
		fail bool
	}{
		{in: nil}, {in: false}, {in: 0}, {in: 0.0}, {in: ""}, {in: []any{}}, {in: map[string]any{}},
		{in: true, want: true}, {in: -1, want: true}, {in: 0.5, want: true},
		{in: []any{nil}, want: true}, {in: map[string]any{"a": nil}, want: true},
		{in: "yes", want: true}, {in: "On", want: true}, {in: "TRUE", want: true}, {in: "1", want: true}, {in: " y ", want: true}, {in: "t", want: true},
		{in: "no"}, {in: "off"}, {in: "False"}, {in: "0"}, {in: "n"}, {in: "f"},
		{in: "maybe", fail: true}, {in: "2", fail: true}, {in: value.Unknown{Reason: "r"}, fail: true},
	} {
		got, err := value.Bool(c.in)
		if got != c.want || (err != nil) != c.fail {
			t.Errorf("Bool(%#v) = %v, %v", c.in, got, err)
		}
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
	}{
		{nil, ""},
		{"as it is\n", "as it is\n"},
		{true, "true"},
		{7, "7"},
		{1.0, "1.0"},
		{1.25, "1.25"},
		{-0.5, "-0.5"},
		{1e20, "1e+20"},
		{math.Inf(-1), "-Inf"},
		{[]any{1, "a", nil}, `[1,"a",null]`},
		{map[string]any{"b": "<&>", "a": []any{}}, `{"a":[],"b":"<&>"}`},
		{[]byte("bytes"), "bytes"},
		{value.Unknown{Reason: "the command was not run"}, "(known after the run: the command was not run)"},
		{[]any{value.Unknown{Reason: "r"}}, `["(known after the run: r)"]`},
	} {
		if got := value.Text(c.in); got != c.want {
			t.Errorf("Text(%#v) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestKind(t *testing.T) {
	for want, v := range map[string]any{
		"null": nil, "bool": true, "int": 1, "float": 1.0, "string": "", "list": []any{}, "map": map[string]any{},
		"unknown": value.Unknown{}, "int8": int8(1),
	} {
		if got := value.Kind(v); got != want {
			t.Errorf("Kind(%#v) = %s", v, got)
		}
	}
}

func TestFindUnknown(t *testing.T) {
	u := value.Unknown{Reason: "r"}
	for _, v := range []any{u, []any{1, u}, map[string]any{"a": []any{map[string]any{"b": u}}}} {
		if got, ok := value.FindUnknown(v); !ok || got != u {
			t.Errorf("FindUnknown(%v) = %v, %v", v, got, ok)
		}
	}
	for _, v := range []any{nil, "r", []any{}, map[string]any{"a": 1}} {
		if got, ok := value.FindUnknown(v); ok {
			t.Errorf("FindUnknown(%v) = %v", v, got)
		}
	}
	first, _ := value.FindUnknown(map[string]any{"b": value.Unknown{Reason: "b"}, "a": value.Unknown{Reason: "a"}})
	if first.Reason != "a" {
		t.Errorf("found %q: the first by key is to be named, always", first.Reason)
	}
}

// fromJSON reads fuzz input as a value; numbers stay as written.
func fromJSON(t *testing.T, text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		t.Skip()
	}
	return v
}

func FuzzNormalizeIsIdempotent(f *testing.F) {
	f.Add(`{"a":[1,2.5,"x",null,{"b":true}]}`, "17", int64(-3), uint64(1<<63), 0.1)
	f.Add(`[]`, "1e5", int64(0), uint64(0), 2.0)
	f.Fuzz(func(t *testing.T, text, num string, i int64, u uint64, fl float64) {
		if math.IsNaN(fl) {
			t.Skip("equals nothing")
		}
		in := []any{fromJSON(t, text), json.Number(num), i, u, fl, []byte(text), map[any]any{i: u}, []int64{i}}
		once := value.Normalize(in)
		if twice := value.Normalize(once); !reflect.DeepEqual(once, twice) {
			t.Fatalf("%#v became %#v", once, twice)
		}
		if !value.Equal(in, once) {
			t.Fatalf("%#v does not equal its normal form %#v", in, once)
		}
	})
}

func FuzzEqualIsSymmetric(f *testing.F) {
	f.Add(`{"a":1}`, `{"a":1.0}`)
	f.Add(`[9007199254740993]`, `[9007199254740992]`)
	f.Add(`null`, `""`)
	f.Fuzz(func(t *testing.T, x, y string) {
		a, b := fromJSON(t, x), fromJSON(t, y)
		if value.Equal(a, b) != value.Equal(b, a) {
			t.Fatalf("%#v and %#v", a, b)
		}
		if !value.Equal(a, a) || !value.Equal(b, b) {
			t.Fatalf("%#v or %#v does not equal itself", a, b)
		}
		c, ok := value.Compare(a, b)
		d, back := value.Compare(b, a)
		if ok != back || c != -d || ok && (c == 0) != value.Equal(a, b) {
			t.Fatalf("%#v and %#v compare as %d, %v and back %d, %v", a, b, c, ok, d, back)
		}
	})
}
