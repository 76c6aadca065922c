// Package source reads YAML files into Nodes: plain values that know where
// they stand.
//
// Load and Parse wrap the YAML library: aliases and merge keys are resolved,
// the size and nesting of input are bounded, a panic of the parser becomes a
// diagnostic, duplicate keys and the classic unquoted `{{ … }}` are found
// with their place. Everything above works with Nodes only, so that positions
// stay absolute and all mistakes of a file can be reported at once.
//
// YAML is read as version 1.2: yes, no, on and off are strings. A whole number
// written with a leading zero (0644, 0o644) keeps its text and is a string,
// because such a thing is a file mode, a date or a telephone number.
package source

import (
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

// Kind is what a Node is.
type Kind int

// The kinds of nodes.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Map
)

// String names the kind for messages: "a map", "text", ….
func (k Kind) String() string {
	return [...]string{"nothing", "true/false", "a whole number", "a number", "text", "a list", "a map"}[k]
}

// Node is one YAML value. It is immutable once parsed.
type Node struct {
	Kind   Kind
	Pos    diag.Pos
	Scalar any     // nil, bool, int, float64 or string; nil for List and Map
	Items  []*Node // of a List
	Fields []Field // of a Map, in the file's order, keys unique
	Tag    string  // an explicit tag such as "!vault" or "!unsafe", else ""
	// Block is true for a block scalar (| or >): template positions inside it
	// count from its first line, BlockPos.
	Block    bool
	BlockPos diag.Pos

	raw string // of a String read from a file: the file's text from it on
}

// Field is one key of a Map.
type Field struct {
	Name string
	Pos  diag.Pos // of the key
	Node *Node
}

// Get finds a map's field; nil when n is no map or lacks it.
func (n *Node) Get(name string) *Node {
	if f, ok := n.Field(name); ok {
		return f.Node
	}
	return nil
}

// Field finds a map's field with its key's place.
func (n *Node) Field(name string) (Field, bool) {
	if n == nil {
		return Field{}, false
	}
	for _, f := range n.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// Keys lists a map's keys in the file's order.
func (n *Node) Keys() []string {
	out := make([]string, len(n.Fields))
	for i, f := range n.Fields {
		out[i] = f.Name
	}
	return out
}

// Text gives a string node's text; ok is false for other kinds.
func (n *Node) Text() (s string, ok bool) {
	if n == nil || n.Kind != String {
		return "", false
	}
	s, ok = n.Scalar.(string)
	return s, ok
}

// Value converts the node to the kinds of package value.
func (n *Node) Value() any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case List:
		out := make([]any, len(n.Items))
		for i, e := range n.Items {
			out[i] = e.Value()
		}
		return out
	case Map:
		out := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			out[f.Name] = f.Node.Value()
		}
		return out
	}
	return n.Scalar
}

// FromValue makes a Node of a run-time value (package value), all at pos.
func FromValue(v any, pos diag.Pos) *Node {
	n := &Node{Pos: pos, Scalar: v}
	switch x := v.(type) {
	case nil:
		n.Kind = Null
	case bool:
		n.Kind = Bool
	case int:
		n.Kind = Int
	case float64:
		n.Kind = Float
	case string:
		n.Kind = String
	case []any:
		n.Kind, n.Scalar = List, nil
		for _, e := range x {
			n.Items = append(n.Items, FromValue(e, pos))
		}
	case map[string]any:
		n.Kind, n.Scalar = Map, nil
		for _, k := range sortedKeys(x) {
			n.Fields = append(n.Fields, Field{Name: k, Pos: pos, Node: FromValue(x[k], pos)})
		}
	default:
		n.Kind, n.Scalar = String, fmt.Sprint(v)
	}
	return n
}
