package template

import (
	"fmt"
	"reflect"

	"github.com/foobar-play/foobar-play/pkg/value"
)

var (
	anyType    = reflect.TypeFor[any]()
	errType    = reflect.TypeFor[error]()
	stringType = reflect.TypeFor[string]()
)

// adapt makes a function of the language of a Go function. Its parameters may
// be of the kinds of package value, string, any integer or float, bool,
// []string, []any, map[string]any; its results one value, or a value and an
// error. Arguments are converted: numbers and booleans to text, whole numbers
// between the number types, everything to any. The result is normalized.
func adapt(name string, fn any) (*function, error) {
	rv := reflect.ValueOf(fn)
	if rv.Kind() != reflect.Func {
		return nil, fmt.Errorf("template function %q is a %T, not a function", name, fn)
	}
	t := rv.Type()
	if t.NumOut() < 1 || t.NumOut() > 2 || t.NumOut() == 2 && t.Out(1) != errType {
		return nil, fmt.Errorf("template function %q must return a value, or a value and an error", name)
	}
	f := &function{name: name, min: t.NumIn(), max: t.NumIn()}
	if t.IsVariadic() {
		f.min, f.max = t.NumIn()-1, -1
	}
	f.call = func(_ *run, args []any) (any, error) { return callGo(rv, t, args) }
	return f, nil
}

// mustAdapt is adapt for our own table.
func mustAdapt(name string, fn any) *function {
	f, err := adapt(name, fn)
	if err != nil {
		panic(err)
	}
	return f
}

func callGo(rv reflect.Value, t reflect.Type, args []any) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, fmt.Errorf("broke off: %v", p)
		}
	}()
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		want := t.In(min(i, t.NumIn()-1))
		if t.IsVariadic() && i >= t.NumIn()-1 {
			want = t.In(t.NumIn() - 1).Elem()
		}
		v, err := convert(a, want)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		in[i] = v
	}
	out := rv.Call(in)
	if len(out) == 2 && !out[1].IsNil() {
		return nil, out[1].Interface().(error)
	}
	return value.Normalize(out[0].Interface()), nil
}

// convert brings a normalized value to a parameter's type.
func convert(v any, t reflect.Type) (reflect.Value, error) {
	if t == anyType {
		if v == nil {
			return reflect.Zero(t), nil
		}
		return reflect.ValueOf(v), nil
	}
	out := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.String:
		s, err := textOf(v)
		out.SetString(s)
		return out, err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := wholeNumber(v)
		if err == nil && out.OverflowInt(int64(i)) {
			err = fmt.Errorf("%d is too large", i)
		}
		out.SetInt(int64(i))
		return out, err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		i, err := wholeNumber(v)
		if err == nil && (i < 0 || out.OverflowUint(uint64(i))) {
			err = fmt.Errorf("%d is out of range", i)
		}
		out.SetUint(uint64(i))
		return out, err
	case reflect.Float32, reflect.Float64:
		f, ok := value.Float(v)
		out.SetFloat(f)
		return out, wanted(ok, "a number", v)
	case reflect.Bool:
		b, err := value.Bool(v)
		out.SetBool(b)
		return out, err
	case reflect.Slice:
		return convertList(v, t)
	case reflect.Map:
		return convertMap(v, t)
	}
	return out, fmt.Errorf("no value of the language is a %s", t)
}

func convertList(v any, t reflect.Type) (reflect.Value, error) {
	list, err := listOf(v)
	out := reflect.MakeSlice(t, len(list), len(list))
	for i, e := range list {
		item, err := convert(e, t.Elem())
		if err != nil {
			return out, fmt.Errorf("item %d: %w", i, err)
		}
		out.Index(i).Set(item)
	}
	return out, err
}

func convertMap(v any, t reflect.Type) (reflect.Value, error) {
	m, err := mapOf(v)
	out := reflect.MakeMapWithSize(t, len(m))
	if t.Key() != stringType {
		return out, fmt.Errorf("the language's maps have text as keys, not %s", t.Key())
	}
	for _, k := range value.Keys(m) {
		item, err := convert(m[k], t.Elem())
		if err != nil {
			return out, fmt.Errorf("%s: %w", k, err)
		}
		out.SetMapIndex(reflect.ValueOf(k), item)
	}
	return out, err
}

func wanted(ok bool, what string, v any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s is needed, this is %s", what, describe(v))
}

// textOf is a scalar as text; null, lists and maps are none.
func textOf(v any) (string, error) {
	switch x := v.(type) {
	case string:
		return x, nil
	case bool, int, float64:
		return value.Text(x), nil
	}
	return "", wanted(false, "text", v)
}

// wholeNumber is an int, also one that is written as 2.0.
func wholeNumber(v any) (int, error) {
	switch x := v.(type) {
	case int:
		return x, nil
	case float64:
		if i := int(x); float64(i) == x {
			return i, nil
		}
	case string:
		return 0, &hinted{"a whole number is needed, this is a string", "convert it: `int`"}
	}
	return 0, wanted(false, "a whole number", v)
}

func listOf(v any) ([]any, error) {
	if l, ok := v.([]any); ok {
		return l, nil
	}
	return nil, wanted(false, "a list", v)
}

func mapOf(v any) (map[string]any, error) {
	if m, ok := v.(map[string]any); ok {
		return m, nil
	}
	return nil, wanted(false, "a map", v)
}
