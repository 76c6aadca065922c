package inventory

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
)

// parseINI reads Ansible's INI: sections [group], [group:children] and
// [group:vars]; host lines "name key=value …" before the first section belong
// to "ungrouped". Values are read as readLiteral says. Lines that begin with #
// or ; are comments; so is what follows a # on a host's line, but not in a
// [group:vars] section, where it belongs to the value.
func parseINI(file string, text []byte) (content, diag.List) {
	p := &iniParser{file: file, kind: "hosts"}
	if !utf8.Valid(text) {
		p.diags.Errorf(diag.Pos{File: file}, "is not UTF-8 text")
		return content{}, p.diags
	}
	p.entry = &groupEntry{name: "ungrouped"}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	for i, line := range strings.Split(string(text), "\n") {
		p.line, p.raw = i+1, strings.TrimSuffix(line, "\r")
		p.read()
	}
	p.close()
	return p.out, p.diags
}

type iniParser struct {
	file  string
	diags diag.List
	out   content

	line  int
	raw   string // the line as it stands
	kind  string // of the section: hosts, children or vars; "" after a broken header
	entry *groupEntry
	// hosts and children of the section already seen, with their lines; names
	// of variables likewise.
	seen map[string]int
}

func (p *iniParser) pos(col int) diag.Pos { return diag.Pos{File: p.file, Line: p.line, Col: col} }

// at gives the place of the byte offset in the line.
func (p *iniParser) at(offset int) diag.Pos {
	return p.pos(utf8.RuneCountInString(p.raw[:offset]) + 1)
}

func (p *iniParser) read() {
	text := strings.TrimSpace(p.raw)
	start := strings.Index(p.raw, text)
	switch {
	case text == "" || text[0] == '#' || text[0] == ';':
	case text[0] == '[' && !bracketed.MatchString(text):
		p.header(text, start)
	case p.kind == "children":
		p.child(text, start)
	case p.kind == "vars":
		p.variable(text, start)
	case p.kind == "hosts":
		p.host()
	}
}

// bracketed is a host line that begins with a bracket: [::1]:22, [a:c]web.
var bracketed = regexp.MustCompile(`^\[[^\]\s]*:[^\]\s]*\][^\s#;]`)

var (
	sectionHead = regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:[#;].*)?$`)
	sectionKind = []string{"hosts", "children", "vars"}
)

func (p *iniParser) header(text string, start int) {
	p.close()
	p.kind, p.seen = "", map[string]int{}
	m := sectionHead.FindStringSubmatchIndex(text)
	if m == nil {
		p.diags.Add(badHeader(p.at(start), text))
		return
	}
	name, kind := text[m[2]:m[3]], "hosts"
	if m[4] >= 0 {
		kind = text[m[4]:m[5]]
	}
	if err := checkGroupName(name); err != nil {
		p.diags.AddError(p.at(start+1), err)
		return
	}
	switch kind {
	case "hosts", "children", "vars":
		p.kind = kind
		p.entry = &groupEntry{name: name, pos: p.at(start + 1), varsOnly: kind == "vars"}
	default:
		d := diag.Errorf(p.at(start+m[4]), "section [%s:%s] is of an unknown kind %q", name, kind, kind)
		hint := diag.DidYouMean(kind, sectionKind)
		if hint == "" {
			hint = "there are [" + name + "], [" + name + ":children] and [" + name + ":vars]"
		}
		p.diags.Add(d.WithHint("%s", hint))
	}
}

func badHeader(pos diag.Pos, text string) diag.Diagnostic {
	if !strings.Contains(text, "]") {
		return diag.Errorf(pos, "the section's header has no closing bracket: %s", text)
	}
	return diag.Errorf(pos, "this is no section's header: %s", text).
		WithHint("write [group], [group:children] or [group:vars], without spaces, and nothing after it but a comment")
}

// close hands the section over.
func (p *iniParser) close() {
	if e := p.entry; e != nil && (e.name != "ungrouped" || len(e.hosts)+len(e.vars)+len(e.children) > 0) {
		p.out.groups = append(p.out.groups, *e)
	}
	p.entry = nil
}

func (p *iniParser) child(text string, start int) {
	name, _, _ := strings.Cut(text, "#")
	name = strings.TrimSpace(name)
	if i := strings.IndexFunc(name, unicode.IsSpace); i >= 0 {
		p.diags.Add(diag.Errorf(p.at(start+i), "only the name of a group may stand here, not %q", strings.TrimSpace(name[i:])).
			WithHint("variables of a group go into [%s:vars]", strings.Fields(name)[0]))
		return
	}
	if err := checkGroupName(name); err != nil {
		p.diags.AddError(p.at(start), err)
		return
	}
	if p.twice(name, "group %q is listed twice in [%s:children]", p.at(start)) {
		return
	}
	p.entry.children = append(p.entry.children, childEntry{name: name, pos: p.at(start), must: true})
}

// twice warns of the second mention of a name in a section.
func (p *iniParser) twice(name, format string, pos diag.Pos) bool {
	if p.seen == nil {
		p.seen = map[string]int{}
	}
	line, again := p.seen[name]
	if !again {
		p.seen[name] = p.line
		return false
	}
	p.diags.Add(warning(pos, format, name, p.entry.name).WithHint("first at line %d", line))
	return true
}

// variable reads a line of [group:vars].
func (p *iniParser) variable(text string, start int) {
	name, val, ok := strings.Cut(text, "=")
	if !ok {
		p.diags.Add(diag.Errorf(p.at(start), "expected name=value, found %q", text))
		return
	}
	valueAt := start + len(name) + 1 + len(val) - len(strings.TrimLeftFunc(val, unicode.IsSpace))
	name, val = strings.TrimSpace(name), strings.TrimSpace(val)
	if name == "" {
		p.diags.Errorf(p.at(start), "there is no name before the =")
		return
	}
	p.twice(name, "variable %q is set twice in [%s:vars]; the last one counts", p.at(start))
	v, literal := readLiteral(val)
	if i := strings.Index(val, " #"); i >= 0 && !literal {
		p.diags.Add(warning(p.at(valueAt+i+1), "this is not a comment but part of the value of %q", name).
			WithHint("in a [group:vars] section a comment stands on a line of its own"))
	}
	pos := p.at(valueAt)
	p.textual(name, val, literal, pos)
	p.entry.vars = append(p.entry.vars, varEntry{name: name, pos: p.at(start), node: p.node(v, pos)})
}

// textual warns when something that looks like a list or map is taken as text.
func (p *iniParser) textual(name, val string, literal bool, pos diag.Pos) {
	if literal || val == "" || strings.HasPrefix(val, "{{") || strings.HasPrefix(val, "{%") || (val[0] != '[' && val[0] != '{') {
		return
	}
	p.diags.Add(warning(pos, "the value of %q is not understood as a list or map and is taken as text", name).
		WithHint(`texts inside need quotes, and on a host's line the whole value too: name="{'a': [1, 'two']}"`))
}

// host reads a host's line.
func (p *iniParser) host() {
	tokens, err := splitLine(p.raw)
	if err != nil {
		start := len(p.raw) - len(strings.TrimLeftFunc(p.raw, unicode.IsSpace))
		p.diags.Add(diag.Errorf(p.at(start), "the line cannot be split into words: %s", err).
			WithHint("put quotes around the whole value, or a backslash before a quote"))
		return
	}
	if len(tokens) == 0 {
		return
	}
	first := tokens[0]
	p.hidden(first)
	e := hostEntry{pos: p.pos(first.col())}
	if e.names, e.port, err = expandHost(first.text); err != nil {
		p.diags.Add(p.badHost(first.text, err))
	}
	if !strings.Contains(first.text, "[") {
		p.twice(first.text, "host %q is listed twice in [%s]; the variables of both lines count", e.pos)
	}
	given := map[string]bool{}
	for _, t := range tokens[1:] {
		if v, ok := p.assignment(t); ok {
			if given[v.name] {
				p.diags.Add(warning(v.pos, "variable %q is set twice on this line; the last one counts", v.name))
			}
			given[v.name] = true
			e.vars = append(e.vars, v)
		}
	}
	p.entry.hosts = append(p.entry.hosts, e)
}

func (p *iniParser) badHost(text string, err error) diag.Diagnostic {
	d := diag.Errorf(p.pos(utf8.RuneCountInString(p.raw[:len(p.raw)-len(strings.TrimLeftFunc(p.raw, unicode.IsSpace))])+1), "%s", err)
	switch {
	case strings.Contains(text, "="):
		return d.WithHint("variables of a group go into a section [%s:vars]", p.entry.name)
	case strings.HasSuffix(text, ":") || text == "---":
		return d.WithHint("this looks like YAML: name the file with .yml at the end")
	case strings.Contains(text, ","):
		return d.WithHint("one host a line")
	}
	return d
}

// hidden warns of a word that a # cut short.
func (p *iniParser) hidden(t token) {
	if t.hash > 0 {
		p.diags.Add(warning(p.pos(t.hash), "a # begins a comment, in the middle of a word too").
			WithHint("put the value in quotes if the # belongs to it"))
	}
}

func (p *iniParser) assignment(t token) (varEntry, bool) {
	p.hidden(t)
	name, val, ok := strings.Cut(t.text, "=")
	if !ok || name == "" {
		d := diag.Errorf(p.pos(t.col()), "expected name=value after the host, found %q", t.text)
		if name == "" || t.text == "=" {
			d = d.WithHint("no spaces around the =")
		}
		p.diags.Add(d)
		return varEntry{}, false
	}
	v, literal := readLiteral(val)
	pos := p.pos(t.cols[utf8.RuneCountInString(name)+1])
	p.textual(name, val, literal, pos)
	return varEntry{name: name, pos: p.pos(t.col()), node: p.node(v, pos)}, true
}

// node keeps what is written, so that a mistake in a template is shown at its
// place.
func (p *iniParser) node(v any, pos diag.Pos) *source.Node {
	text, ok := v.(string)
	if !ok {
		return source.FromValue(v, pos)
	}
	line := []rune(p.raw)
	return source.FromText(text, pos, string(line[min(pos.Col-1, len(line)):]))
}

// looksLikeINI and looksLikeYAML tell which reading's mistakes to show of a
// file that is neither.
func looksLikeINI(text []byte) bool {
	return regexp.MustCompile(`(?m)^\[[^\]\n]+\]\s*(#.*)?$`).Match(text)
}

func looksLikeYAML(text []byte) bool {
	return regexp.MustCompile(`(?m)^(---|[^\s#:=\[\]{}]+:(\s.*)?)$`).Match(text)
}
