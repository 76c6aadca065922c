package source

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// converter turns the library's tree into Nodes.
type converter struct {
	file    string
	text    string
	lines   []int // where each line of text starts
	diags   *diag.List
	anchors map[string]ast.Node
	active  []string // aliases being expanded
	count   int
}

func (c *converter) tokenPos(t *token.Token) diag.Pos {
	if t == nil || t.Position == nil {
		return diag.Pos{File: c.file}
	}
	return diag.Pos{File: c.file, Line: t.Position.Line, Col: t.Position.Column}
}

// pos is where a node starts. A map's own token is its first colon, so the
// first key stands for it; a block scalar's is its indicator.
func (c *converter) pos(n ast.Node) diag.Pos {
	switch x := n.(type) {
	case *ast.MappingNode:
		if !x.IsFlowStyle && len(x.Values) > 0 {
			return c.pos(x.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return c.pos(x.Key)
	case *ast.SequenceNode:
		return c.tokenPos(x.Start)
	case *ast.LiteralNode:
		return c.tokenPos(x.Start)
	}
	return c.tokenPos(n.GetToken())
}

func (c *converter) node(n ast.Node, depth int) *Node {
	if c.count++; c.count > maxNodes || depth > maxDepth {
		if !c.diags.HasErrors() {
			c.diags.Errorf(c.pos(n), "the YAML is nested too deeply or expands to too much")
		}
		return &Node{Pos: c.pos(n)}
	}
	out := &Node{Pos: c.pos(n)}
	switch x := n.(type) {
	case nil, *ast.NullNode:
		out.Kind = Null
	case *ast.BoolNode:
		out.Kind, out.Scalar = Bool, x.Value
	case *ast.IntegerNode:
		c.integer(out, x)
	case *ast.FloatNode:
		out.Kind, out.Scalar = Float, x.Value
	case *ast.InfinityNode:
		out.Kind, out.Scalar = Float, x.Value
	case *ast.NanNode:
		out.Kind, out.Scalar = String, x.Token.Value
	case *ast.StringNode:
		out.Kind, out.Scalar, out.raw = String, x.Value, c.from(out.Pos)
		// Behind a tag the library counts one column too few.
		for strings.HasPrefix(out.raw, " ") {
			out.raw = out.raw[1:]
			out.Pos.Col++
		}
	case *ast.LiteralNode:
		c.literal(out, x)
	case *ast.SequenceNode:
		out.Kind = List
		for _, v := range x.Values {
			out.Items = append(out.Items, c.node(v, depth+1))
		}
	case *ast.MappingNode:
		c.mapping(out, x.Values, depth)
	case *ast.MappingValueNode:
		c.mapping(out, []*ast.MappingValueNode{x}, depth)
	case *ast.AnchorNode:
		c.anchors[x.Name.GetToken().Value] = x.Value
		return c.node(x.Value, depth+1)
	case *ast.AliasNode:
		return c.alias(x, depth)
	case *ast.TagNode:
		return c.tagged(x, depth)
	default:
		c.diags.Errorf(out.Pos, "this kind of YAML (%s) is not understood", n.Type())
	}
	return out
}

var leadingZero = regexp.MustCompile(`^[-+]?0[0-9oO_]`)

func (c *converter) integer(out *Node, x *ast.IntegerNode) {
	text := x.Token.Value
	if leadingZero.MatchString(text) {
		out.Kind, out.Scalar = String, text
		return
	}
	v := value.Normalize(x.Value)
	out.Kind, out.Scalar = Int, v
	if _, ok := v.(float64); ok {
		out.Kind = Float
	}
}

func (c *converter) literal(out *Node, x *ast.LiteralNode) {
	out.Kind, out.Scalar, out.Block = String, x.Value.Value, true
	out.BlockPos = diag.Pos{File: c.file, Line: out.Pos.Line + 1, Col: 1}
	// The text's own column: the indent of the first line as written.
	first, _, _ := strings.Cut(strings.TrimLeft(x.Value.GetToken().Origin, "\n"), "\n")
	out.BlockPos.Col = len(first) - len(strings.TrimLeft(first, " ")) + 1
	out.raw = c.from(diag.Pos{Line: out.BlockPos.Line, Col: 1})
}

// from gives the file's text from a place on, "" when there is no such place.
func (c *converter) from(p diag.Pos) string {
	if p.Line < 1 || p.Line > len(c.lines) {
		return ""
	}
	rest := c.text[c.lines[p.Line-1]:]
	for range p.Col - 1 {
		_, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
	}
	return rest
}

// lineStarts lists the offsets at which lines begin.
func lineStarts(text string) []int {
	out := []int{0}
	for i := range len(text) {
		if text[i] == '\n' {
			out = append(out, i+1)
		}
	}
	return out
}

func (c *converter) alias(x *ast.AliasNode, depth int) *Node {
	name := x.Value.GetToken().Value
	target, ok := c.anchors[name]
	if !ok {
		c.diags.Errorf(c.pos(x), "alias *%s has no anchor &%s before it", name, name)
		return &Node{Pos: c.pos(x)}
	}
	for _, a := range c.active {
		if a == name {
			c.diags.Errorf(c.pos(x), "alias *%s contains itself", name)
			return &Node{Pos: c.pos(x)}
		}
	}
	c.active = append(c.active, name)
	defer func() { c.active = c.active[:len(c.active)-1] }()
	return c.node(target, depth+1)
}

func (c *converter) tagged(x *ast.TagNode, depth int) *Node {
	tag := x.Start.Value
	out := c.node(x.Value, depth+1)
	switch tag {
	case "!!str":
		if out.Kind != List && out.Kind != Map {
			text := value.Text(out.Scalar)
			if t := x.Value.GetToken(); t != nil && out.Kind != String {
				text = t.Value
			}
			out.Kind, out.Scalar = String, text
		}
	case "!!map", "!!seq", "!!int", "!!float", "!!bool", "!!null":
	default:
		out.Tag = tag
	}
	return out
}

func (c *converter) mapping(out *Node, values []*ast.MappingValueNode, depth int) {
	out.Kind = Map
	var merged []Field
	for _, v := range values {
		if _, ok := v.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, c.merge(v, depth)...)
			continue
		}
		f := Field{Name: keyText(v.Key), Pos: c.pos(v.Key)}
		if f.Name == "" && !isScalarKey(v.Key) {
			c.diags.Add(keyError(f.Pos, "a key must be text, not %s", v.Key.Type()))
			continue
		}
		if prev, twice := out.Field(f.Name); twice {
			c.diags.Add(keyError(f.Pos, "key %q is there twice; first at line %d", f.Name, prev.Pos.Line))
			continue
		}
		f.Node = c.node(v.Value, depth+1)
		out.Fields = append(out.Fields, f)
	}
	for _, f := range merged {
		if _, own := out.Field(f.Name); !own {
			out.Fields = append(out.Fields, f)
		}
	}
}

func isScalarKey(k ast.MapKeyNode) bool {
	switch k.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.LiteralNode, *ast.AnchorNode:
		return true
	}
	return false
}

func keyText(k ast.MapKeyNode) string {
	switch x := k.(type) {
	case *ast.StringNode:
		return x.Value
	case *ast.LiteralNode:
		return x.Value.Value
	case *ast.AnchorNode:
		if s, ok := x.Value.(*ast.StringNode); ok {
			return s.Value
		}
		return ""
	case *ast.MappingKeyNode:
		if s, ok := x.Value.(*ast.StringNode); ok {
			return s.Value
		}
		return ""
	}
	if isScalarKey(k) {
		return k.GetToken().Value
	}
	return ""
}

// merge gives the fields of a "<<" key: of one map or of a list of maps, the
// earlier ones winning.
func (c *converter) merge(v *ast.MappingValueNode, depth int) []Field {
	n := c.node(v.Value, depth+1)
	maps := []*Node{n}
	if n.Kind == List {
		maps = n.Items
	}
	var out []Field
	seen := map[string]bool{}
	for _, m := range maps {
		if m.Kind != Map {
			c.diags.Errorf(m.Pos, "<< needs a map or a list of maps, found %s", m.Kind)
			continue
		}
		for _, f := range m.Fields {
			if !seen[f.Name] {
				seen[f.Name] = true
				out = append(out, f)
			}
		}
	}
	return out
}
