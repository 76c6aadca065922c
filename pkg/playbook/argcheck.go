package playbook

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// Validate checks the parameters of one use of a role, as one host has them,
// by Ansible's rules for argument specs: required ones are there, types can be
// converted, values are among the choices, dicts with options hold nothing
// else. get looks a parameter up, as vars.Scope.Lookup does. A parameter whose
// value a dry run cannot know passes. pos is where the role is used; role is
// its name, for the messages.
func (s *ArgSpec) Validate(role string, pos diag.Pos, get func(name string) (v any, ok bool, err error)) diag.List {
	var l diag.List
	for _, o := range s.Options {
		v, ok, err := get(o.Name)
		switch {
		case err != nil:
			l.AddError(pos, fmt.Errorf("role %s: parameter %s: %w", role, o.Name, err))
		case !ok && o.Required:
			l.Add(o.missing(role, pos))
		case ok && !(v == nil && !o.Required):
			for _, msg := range o.check(o.Name, value.Normalize(v)) {
				l.Errorf(pos, "role %s: %s", role, msg)
			}
		}
	}
	return l
}

func (o ArgOption) missing(role string, pos diag.Pos) diag.Diagnostic {
	return diag.Errorf(pos, "role %s needs the parameter %q", role, o.Name).WithHint("declared at %s", o.Pos)
}

// check gives what is wrong with a value; path names it.
func (o ArgOption) check(path string, v any) []string {
	if _, unknown := value.FindUnknown(v); unknown {
		return nil
	}
	if want := mismatch(o.Type, v); want != "" {
		return []string{fmt.Sprintf("parameter %s must be %s, found %s", path, want, o.shown(v))}
	}
	out := o.checkChoices(path, v)
	list, isList := v.([]any)
	for i, e := range list {
		p := fmt.Sprintf("%s[%d]", path, i)
		if want := mismatch(o.Elements, e); o.Elements != "" && want != "" {
			out = append(out, fmt.Sprintf("parameter %s must be %s, found %s", p, want, o.shown(e)))
		} else if m, ok := e.(map[string]any); ok {
			out = append(out, o.checkSub(p, m)...)
		}
	}
	if m, ok := v.(map[string]any); ok && !isList {
		out = append(out, o.checkSub(path, m)...)
	}
	return out
}

func (o ArgOption) shown(v any) string {
	switch v.(type) {
	case nil, []any, map[string]any:
		return value.Kind(v)
	}
	if o.Secret {
		return value.Kind(v)
	}
	return value.Kind(v) + " " + strconv.Quote(brief(value.Text(v)))
}

func (o ArgOption) checkChoices(path string, v any) []string {
	if len(o.Choices) == 0 {
		return nil
	}
	values, isList := v.([]any)
	if !isList {
		values = []any{v}
	}
	for _, e := range values {
		same := func(c any) bool { return value.Equal(c, e) || value.Text(c) == value.Text(e) }
		if slices.ContainsFunc(o.Choices, same) {
			continue
		}
		words := make([]string, len(o.Choices))
		for i, c := range o.Choices {
			words[i] = value.Text(c)
		}
		msg := fmt.Sprintf("parameter %s must be one of %s, found %s", path, strings.Join(words, ", "), o.shown(e))
		return []string{msg}
	}
	return nil
}

// checkSub checks a dict against the options of the parameter.
func (o ArgOption) checkSub(path string, m map[string]any) []string {
	if len(o.Options) == 0 {
		return nil
	}
	var out []string
	names := make([]string, len(o.Options))
	for i, sub := range o.Options {
		names[i] = sub.Name
		v, ok := m[sub.Name]
		switch p := path + "." + sub.Name; {
		case !ok && sub.Required:
			out = append(out, fmt.Sprintf("parameter %s is missing", p))
		case ok && !(v == nil && !sub.Required):
			out = append(out, sub.check(p, v)...)
		}
	}
	for _, k := range value.Keys(m) {
		if slices.Contains(names, k) {
			continue
		}
		msg := fmt.Sprintf("parameter %s has no key %q", path, k)
		if near := diag.DidYouMean(k, names); near != "" {
			msg += ", " + near
		}
		out = append(out, msg)
	}
	return out
}

// mismatch tells what a value of the type must be, "" when v is it or can be
// converted to it as Ansible does.
func mismatch(typ string, v any) string {
	_, isList := v.([]any)
	_, isMap := v.(map[string]any)
	scalar := !isList && !isMap && v != nil
	text := strings.TrimSpace(value.Text(v))
	switch typ {
	case "str", "path":
		if !scalar {
			return "text"
		}
	case "bool":
		_, isBool := v.(bool)
		if _, word := value.Word(text); !isBool && (!scalar || !word || text == "") {
			return "true or false"
		}
	case "int":
		f, isNum := value.Float(v)
		if _, err := strconv.Atoi(text); err != nil && (!isNum || f != float64(int(f))) || !scalar {
			return "a whole number"
		}
	case "float":
		if _, err := strconv.ParseFloat(text, 64); err != nil || !scalar {
			return "a number"
		}
	case "list":
		if isMap || v == nil {
			return "a list"
		}
	case "dict":
		s, isText := v.(string)
		if !isMap && !(isText && (strings.Contains(s, "=") || strings.HasPrefix(text, "{"))) {
			return "a dict"
		}
	}
	return ""
}

// checkParams checks the literal parameters of a use.
func (r *reader) checkParams(use *RoleUse, params map[string]vars.Var) {
	spec := use.Role.ArgSpecs[use.Entry]
	if spec == nil {
		return
	}
	for _, o := range spec.Options {
		p, ok := params[o.Name]
		if !ok {
			continue
		}
		v, literal := p.Value.Literal()
		if !literal || v == nil && !o.Required {
			continue
		}
		for _, msg := range o.check(o.Name, v) {
			r.errorf(p.Value.Pos(), "role %s: %s", use.Role.Name, msg)
		}
	}
}
