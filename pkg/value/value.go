// Package value defines the native values of the language: what a template
// yields, a variable holds, a module takes and returns.
//
// There are seven kinds: null (nil), bool, int, float64, string, []any and
// map[string]any; and Unknown, the value of something that a dry run cannot
// know. Normalize brings anything that came from YAML, JSON, CBOR or a
// template function to these. Comparison is by value across Go's kinds: 1,
// int64(1) and 1.0 are equal; values of different kinds are unequal, never an
// error.
//
// The package imports nothing of this project.
package value

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
)

// Unknown is a value that cannot be known in a dry run, such as the output of
// a command that was not run. It propagates: whatever is computed from it is
// Unknown too.
type Unknown struct {
	// Reason says what it hangs on, for people: "depends on the output of …".
	Reason string
}

// String shows the value as it appears in a plan.
func (u Unknown) String() string { return "(known after the run: " + u.Reason + ")" }

// MarshalText shows an Unknown where values are written as JSON.
func (u Unknown) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// FindUnknown returns the first Unknown anywhere inside v.
func FindUnknown(v any) (Unknown, bool) {
	switch x := v.(type) {
	case Unknown:
		return x, true
	case []any:
		for _, e := range x {
			if u, ok := FindUnknown(e); ok {
				return u, true
			}
		}
	case map[string]any:
		for _, k := range Keys(x) {
			if u, ok := FindUnknown(x[k]); ok {
				return u, true
			}
		}
	}
	return Unknown{}, false
}

// Keys returns the map's keys, sorted.
func Keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Kind names the kind of a normalized value as users know it: "null", "bool",
// "int", "float", "string", "list", "map" or "unknown".
func Kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case int:
		return "int"
	case float64:
		return "float"
	case string:
		return "string"
	case []any:
		return "list"
	case map[string]any:
		return "map"
	case Unknown:
		return "unknown"
	}
	return fmt.Sprintf("%T", v)
}

// Normalize returns v in the package's kinds, copying lists and maps. Bytes
// and fmt.Stringers become strings, unsigned and sized integers int (uint64
// beyond int's range: float64), map keys strings, structs maps by way of their
// exported fields' json names.
func Normalize(v any) any {
	switch x := v.(type) {
	case nil, bool, int, float64, string, Unknown:
		return x
	case []byte:
		return string(x)
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = Normalize(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = Normalize(e)
		}
		return out
	case json.Number:
		return number(x)
	case fmt.Stringer:
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
			return nil
		}
		return x.String()
	}
	return reflected(reflect.ValueOf(v))
}

func number(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return int(i)
	}
	f, err := n.Float64()
	if err != nil {
		return n.String()
	}
	return f
}

func reflected(rv reflect.Value) any {
	switch rv.Kind() {
	case reflect.Pointer, reflect.Interface:
		if rv.IsNil() {
			return nil
		}
		return Normalize(rv.Elem().Interface())
	case reflect.Bool:
		return rv.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(rv.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if u := rv.Uint(); u > math.MaxInt {
			return float64(u)
		}
		return int(rv.Uint())
	case reflect.Float32, reflect.Float64:
		return rv.Float()
	case reflect.String:
		return rv.String()
	case reflect.Slice, reflect.Array:
		out := make([]any, rv.Len())
		for i := range out {
			out[i] = Normalize(rv.Index(i).Interface())
		}
		return out
	case reflect.Map:
		out := make(map[string]any, rv.Len())
		for it := rv.MapRange(); it.Next(); {
			out[fmt.Sprint(it.Key().Interface())] = Normalize(it.Value().Interface())
		}
		return out
	case reflect.Struct:
		return viaJSON(rv.Interface())
	}
	return fmt.Sprint(rv.Interface())
}

func viaJSON(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	var out any
	if dec.Decode(&out) != nil {
		return fmt.Sprint(v)
	}
	return Normalize(out)
}

// Equal compares by value: numbers across kinds, lists and maps deeply.
// Different kinds are unequal. An Unknown equals nothing, itself included.
func Equal(a, b any) bool { return equal(Normalize(a), Normalize(b)) }

func equal(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equal)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !equal(v, w) {
				return false
			}
		}
		return true
	case Unknown:
		return false
	}
	if c, ok := compareNumbers(a, b); ok {
		return c == 0
	}
	switch b.(type) {
	case []any, map[string]any, Unknown:
		return false
	}
	return a == b
}

// Float gives the number v as float64; ok is false for anything but int and
// float64.
func Float(v any) (f float64, ok bool) {
	switch x := v.(type) {
	case int:
		return float64(x), true
	case float64:
		return x, true
	}
	return 0, false
}

// Compare orders two numbers or two strings; ok is false when the kinds do not
// compare.
func Compare(a, b any) (c int, ok bool) {
	a, b = Normalize(a), Normalize(b)
	if c, ok := compareNumbers(a, b); ok && c != unordered {
		return c, true
	}
	x, isX := a.(string)
	y, isY := b.(string)
	if !isX || !isY {
		return 0, false
	}
	return strings.Compare(x, y), true
}

// unordered is what comparing with NaN gives.
const unordered = 2

// compareNumbers orders two numbers exactly: a large int is not rounded to the
// float next to it. ok is false unless both are numbers.
func compareNumbers(a, b any) (c int, ok bool) {
	x, isX := Float(a)
	y, isY := Float(b)
	if !isX || !isY {
		return 0, false
	}
	if math.IsNaN(x) || math.IsNaN(y) {
		return unordered, true
	}
	if x == y { // perhaps only by rounding, which keeps the order otherwise
		return exact(a).Cmp(exact(b)), true
	}
	return cmp.Compare(x, y), true
}

func exact(v any) *big.Float {
	if i, ok := v.(int); ok {
		return new(big.Float).SetInt64(int64(i))
	}
	return big.NewFloat(v.(float64))
}

// Bool reads a condition's value: a bool as it is; null, numbers, lists and
// maps by being non-empty or non-zero; strings by Ansible's words
// (true/yes/on/1, false/no/off/0 and the empty string). Any other string is an
// error, because it is nearly always a mistake.
func Bool(v any) (bool, error) {
	switch x := Normalize(v).(type) {
	case nil:
		return false, nil
	case bool:
		return x, nil
	case int:
		return x != 0, nil
	case float64:
		return x != 0, nil
	case []any:
		return len(x) > 0, nil
	case map[string]any:
		return len(x) > 0, nil
	case string:
		if b, ok := Word(x); ok {
			return b, nil
		}
		return false, fmt.Errorf("%q is text, not true or false: compare it, as in `eq .x \"…\"`", x)
	case Unknown:
		return false, fmt.Errorf("the condition is unknown: %s", x.Reason)
	}
	return false, fmt.Errorf("a %s is not true or false", Kind(v))
}

// Word reads Ansible's words for booleans, in any case; the empty string is
// false.
func Word(s string) (b, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "yes", "on", "1", "y", "t":
		return true, true
	case "false", "no", "off", "0", "n", "f", "":
		return false, true
	}
	return false, false
}

// Text gives a value as a template prints it: strings as they are, null as "",
// lists and maps as compact JSON, whole floats with their point.
func Text(v any) string {
	switch x := Normalize(v).(type) {
	case nil:
		return ""
	case string:
		return x
	case []any, map[string]any:
		var out strings.Builder
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		if enc.Encode(x) != nil {
			return fmt.Sprint(x)
		}
		return strings.TrimSuffix(out.String(), "\n")
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1e15 {
			return fmt.Sprintf("%.1f", x)
		}
		return fmt.Sprint(x)
	default:
		return fmt.Sprint(x)
	}
}
