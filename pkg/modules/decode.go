package modules

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// ArgError is a wrong option of a task.
type ArgError struct {
	// Option is the path of the option: "mode", "rules[2].port"; "" when the
	// mistake is about several.
	Option  string
	Message string
	Hint    string
}

// Error gives "option mode: …".
func (e *ArgError) Error() string {
	if e.Option == "" {
		return e.Message
	}
	return "option " + e.Option + ": " + e.Message
}

// ArgErrors are all wrong options of one task.
type ArgErrors []*ArgError

// Error joins the messages.
func (e ArgErrors) Error() string {
	out := make([]string, len(e))
	for i, a := range e {
		out[i] = a.Error()
		if a.Hint != "" {
			out[i] += " (" + a.Hint + ")"
		}
	}
	return strings.Join(out, "; ")
}

// CheckArgs finds everything wrong with a task's arguments before it runs.
// pending reports whether the value at an option path holds a template that is
// not evaluated yet; such values are only checked for their name. The result
// is nil when all is well.
func (m *Module) CheckArgs(args map[string]any, pending func(path string) bool) ArgErrors {
	c := &argChecker{pending: pending}
	c.set(m.options, args, "", m.Name)
	if len(c.errs) == 0 && !c.skipped {
		if err := m.check(args); err != nil {
			var list ArgErrors
			if errors.As(err, &list) {
				return list
			}
			return ArgErrors{{Message: err.Error()}}
		}
	}
	return c.errs
}

type argChecker struct {
	pending func(string) bool
	skipped bool
	errs    ArgErrors
}

func (c *argChecker) set(s *optionSet, args map[string]any, prefix, module string) {
	given := map[string]string{}
	for _, k := range value.Keys(args) {
		path := prefix + k
		o, ok := s.find(k)
		if !ok && s.rest >= 0 {
			continue
		}
		if !ok || (o.Internal && prefix == "") {
			c.errs = append(c.errs, &ArgError{Option: path,
				Message: fmt.Sprintf("module %s has no option %q", module, k), Hint: diag.DidYouMean(k, s.names())})
			continue
		}
		if other, twice := given[o.Name]; twice {
			c.errs = append(c.errs, &ArgError{Option: path, Message: fmt.Sprintf("is the same option as %s, which is given too", other)})
		}
		given[o.Name] = k
		c.one(s, o, args[k], path, module)
	}
	for _, o := range s.list {
		if _, ok := given[o.Name]; o.Required && !ok {
			c.errs = append(c.errs, &ArgError{Option: prefix + o.Name, Message: fmt.Sprintf("module %s needs the option %q", module, o.Name)})
		}
	}
}

func (c *argChecker) one(s *optionSet, o Option, v any, path, module string) {
	if c.pending != nil && c.pending(path) {
		c.skipped = true
		return
	}
	if o.sub != nil {
		if m, ok := v.(map[string]any); ok && o.Type == "map" {
			c.set(o.sub, m, path+".", module)
			return
		}
		if l, ok := v.([]any); ok {
			for i, e := range l {
				p := fmt.Sprintf("%s[%d]", path, i)
				if c.pending != nil && c.pending(p) {
					c.skipped = true
				} else if m, ok := e.(map[string]any); ok {
					c.set(o.sub, m, p+".", module)
				} else {
					c.errs = append(c.errs, &ArgError{Option: p, Message: "expected a map, found a " + value.Kind(e)})
				}
			}
			return
		}
	}
	if c.pending != nil && holdsPending(v, path, c.pending) {
		c.skipped = true
		return
	}
	field := reflect.New(s.typ.FieldByIndex(o.field).Type).Elem()
	if err := assign(field, o, v, path); err != nil {
		c.errs = append(c.errs, err)
	}
}

func holdsPending(v any, path string, pending func(string) bool) bool {
	switch x := v.(type) {
	case []any:
		for i, e := range x {
			p := fmt.Sprintf("%s[%d]", path, i)
			if pending(p) || holdsPending(e, p, pending) {
				return true
			}
		}
	case map[string]any:
		for k, e := range x {
			if p := path + "." + k; pending(p) || holdsPending(e, p, pending) {
				return true
			}
		}
	}
	return false
}

// decodeInto makes the options struct of one task. A null value counts as left
// out.
func decodeInto[A any](m *Module, args map[string]any) (*A, error) {
	out := new(A)
	if errs := m.options.decode(reflect.ValueOf(out).Elem(), args, ""); errs != nil {
		return nil, errs
	}
	if c, ok := any(out).(Checker); ok {
		if err := c.Check(); err != nil {
			return nil, ArgErrors{{Message: err.Error()}}
		}
	}
	return out, nil
}

func (s *optionSet) decode(dst reflect.Value, args map[string]any, prefix string) ArgErrors {
	var errs ArgErrors
	given := map[string]bool{}
	for _, k := range value.Keys(args) {
		o, ok := s.find(k)
		if !ok && s.rest >= 0 {
			s.collect(dst, k, args[k])
			continue
		}
		if !ok {
			errs = append(errs, &ArgError{Option: prefix + k, Message: "no such option", Hint: diag.DidYouMean(k, s.names())})
			continue
		}
		if args[k] == nil {
			continue
		}
		given[o.Name] = true
		if err := assign(dst.FieldByIndex(o.field), o, args[k], prefix+k); err != nil {
			errs = append(errs, err)
		}
	}
	for _, o := range s.list {
		if given[o.Name] {
			continue
		}
		if o.Required {
			errs = append(errs, &ArgError{Option: prefix + o.Name, Message: "is required"})
		} else if o.Default != "" {
			if err := assign(dst.FieldByIndex(o.field), o, o.Default, prefix+o.Name); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errs
}

// collect puts a free key into the field that takes them; its value is kept as
// it is, null and Unknown included.
func (s *optionSet) collect(dst reflect.Value, k string, v any) {
	f := dst.Field(s.rest)
	if f.IsNil() {
		f.Set(reflect.MakeMap(freeKeysType))
	}
	f.Interface().(map[string]any)[k] = v
}

func assign(dst reflect.Value, o Option, v any, path string) *ArgError {
	if err := set(dst, o, v, path); err != nil {
		return err
	}
	if len(o.Choices) == 0 {
		return nil
	}
	for _, got := range chosen(dst) {
		if !slices.Contains(o.Choices, got) {
			return &ArgError{Option: path, Message: fmt.Sprintf("%q is not one of %s", got, strings.Join(o.Choices, ", ")),
				Hint: diag.DidYouMean(got, o.Choices)}
		}
	}
	return nil
}

func chosen(v reflect.Value) []string {
	switch v.Kind() {
	case reflect.Pointer:
		return chosen(v.Elem())
	case reflect.Slice:
		var out []string
		for i := range v.Len() {
			out = append(out, fmt.Sprint(v.Index(i).Interface()))
		}
		return out
	}
	return []string{fmt.Sprint(v.Interface())}
}

func set(dst reflect.Value, o Option, v any, path string) *ArgError {
	if u, ok := v.(value.Unknown); ok && dst.Kind() != reflect.Interface {
		return &ArgError{Option: path, Message: "is unknown: " + u.Reason}
	}
	wrong := func(want string) *ArgError {
		return &ArgError{Option: path, Message: fmt.Sprintf("expected %s, found %s %s", want, value.Kind(v), brief(v))}
	}
	if dst.CanAddr() && dst.Kind() != reflect.Pointer {
		if d, ok := dst.Addr().Interface().(ArgDecoder); ok {
			if err := d.DecodeArg(v); err != nil {
				return &ArgError{Option: path, Message: err.Error()}
			}
			return nil
		}
	}
	switch dst.Kind() {
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		return set(dst.Elem(), o, v, path)
	case reflect.String:
		switch v.(type) {
		case []any, map[string]any:
			return wrong("a string")
		default:
			dst.SetString(value.Text(v))
		}
	case reflect.Bool:
		return setBool(dst, v, wrong)
	case reflect.Int, reflect.Int64:
		return setInt(dst, v, wrong)
	case reflect.Float64:
		f, ok := value.Float(v)
		if s, isText := v.(string); isText {
			var err error
			f, err = strconv.ParseFloat(strings.TrimSpace(s), 64)
			ok = err == nil
		}
		if !ok {
			return wrong("a number")
		}
		dst.SetFloat(f)
	case reflect.Interface:
		dst.Set(reflect.ValueOf(v))
	case reflect.Map:
		return setMap(dst, v, wrong)
	case reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			return wrong("a map")
		}
		if errs := o.sub.decode(dst, m, path+"."); errs != nil {
			return errs[0]
		}
	case reflect.Slice:
		return setList(dst, o, v, path, wrong)
	}
	return nil
}

func setBool(dst reflect.Value, v any, wrong func(string) *ArgError) *ArgError {
	switch x := v.(type) {
	case bool:
		dst.SetBool(x)
		return nil
	case string:
		if b, ok := value.Word(x); ok && x != "" {
			dst.SetBool(b)
			return nil
		}
	case int:
		if x == 0 || x == 1 {
			dst.SetBool(x == 1)
			return nil
		}
	}
	return wrong("true or false")
}

func setInt(dst reflect.Value, v any, wrong func(string) *ArgError) *ArgError {
	switch x := v.(type) {
	case int:
		dst.SetInt(int64(x))
		return nil
	case float64:
		if x == float64(int64(x)) {
			dst.SetInt(int64(x))
			return nil
		}
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(x), 10, 64); err == nil {
			dst.SetInt(n)
			return nil
		}
	}
	return wrong("a whole number")
}

func setMap(dst reflect.Value, v any, wrong func(string) *ArgError) *ArgError {
	m, ok := v.(map[string]any)
	if !ok {
		return wrong("a map")
	}
	out := reflect.MakeMapWithSize(dst.Type(), len(m))
	for k, e := range m {
		cell := reflect.New(dst.Type().Elem()).Elem()
		if e != nil {
			if err := set(cell, Option{}, e, k); err != nil {
				return err
			}
		}
		out.SetMapIndex(reflect.ValueOf(k), cell)
	}
	dst.Set(out)
	return nil
}

func setList(dst reflect.Value, o Option, v any, path string, wrong func(string) *ArgError) *ArgError {
	var items []any
	switch x := v.(type) {
	case []any:
		items = x
	case string:
		if dst.Type() == conditionType || o.Elements != "string" {
			items = []any{x}
			break
		}
		for part := range strings.SplitSeq(x, ",") {
			if part = strings.TrimSpace(part); part != "" {
				items = append(items, part)
			}
		}
	case map[string]any:
		if o.sub == nil {
			return wrong("a list")
		}
		items = []any{x}
	default:
		items = []any{x}
	}
	out := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, e := range items {
		if err := set(out.Index(i), Option{sub: o.sub}, e, fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	dst.Set(out)
	return nil
}

func brief(v any) string {
	s := value.Text(v)
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	return strconv.Quote(s)
}
