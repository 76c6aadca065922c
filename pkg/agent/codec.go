package agent

import (
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// unknownTag marks a value.Unknown, from CBOR's first-come-first-served range.
const unknownTag = 47806

// maxNesting bounds how deep lists and maps lie within each other.
const maxNesting = 4096

// encoding and decoding keep every kind of package value as it is: an int
// stays an int, a float a float, text may hold any bytes.
var encoding, decoding = codecModes()

func codecModes() (cbor.EncMode, cbor.DecMode) {
	tags := cbor.NewTagSet()
	must(tags.Add(cbor.TagOptions{EncTag: cbor.EncTagRequired, DecTag: cbor.DecTagRequired}, reflect.TypeFor[value.Unknown](), unknownTag))
	enc, err := cbor.EncOptions{Sort: cbor.SortCoreDeterministic}.EncModeWithTags(tags)
	must(err)
	dec, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:  maxNesting,
		MaxArrayElements: 1 << 26,
		MaxMapPairs:      1 << 26,
		IndefLength:      cbor.IndefLengthForbidden,
		IntDec:           cbor.IntDecConvertSignedOrFail,
		DefaultMapType:   reflect.TypeFor[map[string]any](),
		UTF8:             cbor.UTF8DecodeInvalid,
	}.DecModeWithTags(tags)
	must(err)
	return enc, dec
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// decode reads a frame's body into msg.
func decode(body []byte, msg any) error {
	if err := decoding.Unmarshal(body, msg); err != nil {
		return fmt.Errorf("malformed message: %w", err)
	}
	switch m := msg.(type) {
	case *requestMsg:
		restoreMap(m.Args)
	case *replyMsg:
		restoreResult(&m.Result)
		if m.Error != nil {
			restoreMap(m.Error.Values)
			restoreChanges(m.Error.Changes)
		}
	}
	return nil
}

// restore turns CBOR's int64 back into int, in place.
func restore(v any) any {
	switch x := v.(type) {
	case int64:
		return int(x)
	case []any:
		for i, e := range x {
			x[i] = restore(e)
		}
	case map[string]any:
		restoreMap(x)
	}
	return v
}

func restoreMap(m map[string]any) {
	for k, e := range m {
		m[k] = restore(e)
	}
}

func restoreChanges(list []modules.Change) {
	for i := range list {
		list[i].Before, list[i].After = restore(list[i].Before), restore(list[i].After)
	}
}

func restoreResult(r *modules.Result) {
	restoreChanges(r.Changes)
	restoreMap(r.Values)
	restoreMap(r.Facts)
	if e := r.Effects; e != nil {
		restoreMap(e.SetVars)
		restoreMap(e.Include)
		for _, h := range e.AddHosts {
			restoreMap(h.Vars)
		}
	}
}

// normalResult brings what a module returned to the kinds of package value.
func normalResult(r modules.Result) modules.Result {
	r.Changes = normalChanges(r.Changes)
	r.Values = normalMap(r.Values)
	r.Facts = normalMap(r.Facts)
	return r
}

func normalChanges(list []modules.Change) []modules.Change {
	out := make([]modules.Change, len(list))
	for i, c := range list {
		c.Before, c.After = value.Normalize(c.Before), value.Normalize(c.After)
		out[i] = c
	}
	if list == nil {
		return nil
	}
	return out
}

func normalMap(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	return value.Normalize(m).(map[string]any)
}
