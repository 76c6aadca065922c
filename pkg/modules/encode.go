package modules

import (
	"reflect"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// encode turns an options struct back into arguments for the wire: every field
// that is not at its zero value.
func (s *optionSet) encode(a any) map[string]any {
	return s.encodeStruct(reflect.ValueOf(a).Elem())
}

func (s *optionSet) encodeStruct(v reflect.Value) map[string]any {
	out := map[string]any{}
	for _, o := range s.list {
		f := v.FieldByIndex(o.field)
		if f.IsZero() && o.Default == "" {
			continue
		}
		out[o.Name] = encodeValue(f, o.sub)
	}
	if s.rest >= 0 {
		for k, free := range v.Field(s.rest).Interface().(map[string]any) {
			out[k] = free
		}
	}
	return out
}

func encodeValue(f reflect.Value, sub *optionSet) any {
	if f.CanAddr() && f.Kind() != reflect.Pointer {
		if d, ok := f.Addr().Interface().(ArgDecoder); ok {
			return d.EncodeArg()
		}
	}
	switch f.Kind() {
	case reflect.Pointer:
		if f.IsNil() {
			return nil
		}
		return encodeValue(f.Elem(), sub)
	case reflect.Struct:
		return sub.encodeStruct(f)
	case reflect.Slice:
		out := make([]any, f.Len())
		for i := range out {
			out[i] = encodeValue(f.Index(i), sub)
		}
		return out
	}
	return value.Normalize(f.Interface())
}
