package modules

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Option describes one option of a module, read from the tags of a field of
// the options struct:
//
//	Path string `arg:"path,required,alias=dest|name" doc:"The file."`
//	State string `arg:"state" default:"file" choices:"file,absent" doc:"…"`
//
// In arg, after the name: required; alias=a|b; secret (the value is masked
// everywhere); internal (set by Prepare, not by users). Field types: string,
// bool, int, float64, pointers to these (nil when left out), []string (also
// from "a,b"), lists, map[string]any, structs tagged the same way, any,
// FileMode, Condition, Expression and whatever implements ArgDecoder.
//
// A field of type map[string]any with `arg:"*"` makes every key that is not an
// option welcome and collects them (set_fact's variables). It is no Option and
// is not listed.
type Option struct {
	Name     string
	Aliases  []string
	Type     string // "string", "bool", "int", "float", "list", "map", "mode", "condition", "expression", "any"
	Elements string // of a list: the type of its elements, "" when any
	Required bool
	Default  string // as text, "" when none
	Choices  []string
	Secret   bool
	Internal bool
	Doc      string
	// Sub are the options of a struct, or of a list of structs.
	Sub []Option

	field []int // as reflect.Value.FieldByIndex takes it
	sub   *optionSet
}

// Condition is an option that holds bare pipelines (assert's that): the engine
// leaves it unevaluated, and the module calls Controller.Test.
type Condition []string

// Expression is an option that holds a bare variable or pipeline (debug's
// var): the engine leaves it unevaluated, and the module calls Controller.Eval.
type Expression string

// ArgDecoder is a field type with a reading of its own. v is a value of
// package value. EncodeArg gives it back for the wire.
type ArgDecoder interface {
	DecodeArg(v any) error
	EncodeArg() any
	// ArgType is the type's name for users.
	ArgType() string
}

var (
	decoderType    = reflect.TypeFor[ArgDecoder]()
	conditionType  = reflect.TypeFor[Condition]()
	expressionType = reflect.TypeFor[Expression]()
	freeKeysType   = reflect.TypeFor[map[string]any]()
)

// optionSet is the options of one struct type.
type optionSet struct {
	typ  reflect.Type
	list []Option
	// rest is the index of the field that collects free keys, -1 when there is
	// none.
	rest int
}

func optionsOf[A any](module string) *optionSet {
	set, err := readOptions(reflect.TypeFor[A]())
	if err != nil {
		panic(fmt.Sprintf("module %s: %v", module, err))
	}
	return set
}

// readOptions reads the tags of a struct type; embedded structs are inlined.
func readOptions(t reflect.Type) (*optionSet, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("options must be a struct, not %s", t)
	}
	set := &optionSet{typ: t, rest: -1}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("arg")
		if !ok {
			if err := set.inline(f, i); err != nil {
				return nil, err
			}
			continue
		}
		if tag == "*" {
			if f.Type != freeKeysType || set.rest >= 0 {
				return nil, fmt.Errorf("field %s: free keys are collected by one field of type map[string]any", f.Name)
			}
			set.rest = i
			continue
		}
		o, err := readOption(f, tag)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		o.field = []int{i}
		if err := set.add(o); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// inline adds the options of an embedded struct, field i of s.
func (s *optionSet) inline(f reflect.StructField, i int) error {
	if !f.Anonymous || f.Type.Kind() != reflect.Struct {
		return nil
	}
	inner, err := readOptions(f.Type)
	if err != nil {
		return err
	}
	for _, o := range inner.list {
		o.field = append([]int{i}, o.field...)
		if err := s.add(o); err != nil {
			return err
		}
	}
	return nil
}

func (s *optionSet) add(o Option) error {
	if _, twice := s.find(o.Name); twice {
		return fmt.Errorf("option %s is there twice", o.Name)
	}
	s.list = append(s.list, o)
	return nil
}

func readOption(f reflect.StructField, tag string) (Option, error) {
	parts := strings.Split(tag, ",")
	o := Option{Name: parts[0], Default: f.Tag.Get("default"), Doc: f.Tag.Get("doc")}
	if c := f.Tag.Get("choices"); c != "" {
		o.Choices = strings.Split(c, ",")
	}
	for _, p := range parts[1:] {
		switch {
		case p == "required":
			o.Required = true
		case p == "secret":
			o.Secret = true
		case p == "internal":
			o.Internal = true
		case strings.HasPrefix(p, "alias="):
			o.Aliases = strings.Split(strings.TrimPrefix(p, "alias="), "|")
		default:
			return o, fmt.Errorf("unknown word %q in its arg tag", p)
		}
	}
	var err error
	o.Type, o.Elements, o.sub, err = typeName(f.Type)
	if o.sub != nil {
		o.Sub = o.sub.list
	}
	return o, err
}

func typeName(t reflect.Type) (name, elements string, sub *optionSet, err error) {
	switch {
	case t == conditionType:
		return "condition", "", nil, nil
	case t == expressionType:
		return "expression", "", nil, nil
	case reflect.PointerTo(t).Implements(decoderType):
		return reflect.New(t).Interface().(ArgDecoder).ArgType(), "", nil, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.String:
		return "string", "", nil, nil
	case reflect.Bool:
		return "bool", "", nil, nil
	case reflect.Int, reflect.Int64:
		return "int", "", nil, nil
	case reflect.Float64:
		return "float", "", nil, nil
	case reflect.Interface:
		return "any", "", nil, nil
	case reflect.Map:
		return "map", "", nil, nil
	case reflect.Struct:
		sub, err := readOptions(t)
		return "map", "", sub, err
	case reflect.Slice:
		elem, _, sub, err := typeName(t.Elem())
		return "list", elem, sub, err
	}
	return "", "", nil, fmt.Errorf("type %s cannot be an option", t)
}

func (s *optionSet) find(name string) (Option, bool) {
	for _, o := range s.list {
		if o.Name == name || slices.Contains(o.Aliases, name) {
			return o, true
		}
	}
	return Option{}, false
}

// names lists what a user may write, for suggestions.
func (s *optionSet) names() []string {
	var out []string
	for _, o := range s.list {
		if !o.Internal {
			out = append(out, o.Name)
			out = append(out, o.Aliases...)
		}
	}
	return out
}
