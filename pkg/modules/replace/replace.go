// Package replace is the module replace: it replaces all that a pattern
// matches in a text file. The editing is a pure function of the text; the rest
// is shared with the other editors.
package replace

import (
	"fmt"
	"regexp"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

type args struct {
	files.Editing
	Regexp  files.Pattern `arg:"regexp,required" doc:"What to replace. ^ and $ match at every line; . does not match a line's end."`
	Replace string        `arg:"replace" doc:"What to put there; may refer to groups. Empty removes."`
	After   files.Pattern `arg:"after" doc:"Replace only behind the first match of this pattern, whose . matches line ends too."`
	Before  files.Pattern `arg:"before" doc:"Replace only ahead of this pattern: its first match behind after, else its last in the file."`
}

// Check has the rules between options.
func (a *args) Check() error { return files.CheckValidate(a.Validate) }

// Module returns the module replace.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "replace",
		Short: "Replaces all that a pattern matches in a text file",
		Doc: "It is up to the pattern not to match what it was replaced by; a warning tells when it does. " +
			files.PatternNote + "\n\n" + files.LeftOut + " Also encoding (bytes are kept as they are).",
		Returns: files.Editing{}.Returns(),
		Examples: `- replace:
    path: /etc/hosts
    regexp: '(\s+)old\.example\.com(\s+.*)?$'
    replace: '\1new.example.com\2'
`,
	}, build)
}

func build(env modules.Env, a *args) (modules.Action, error) {
	re, err := regexp.Compile("(?m)" + a.Regexp.Regexp().String())
	if err != nil {
		return nil, err
	}
	between, err := section(a.After.Regexp(), a.Before.Regexp())
	if err != nil {
		return nil, err
	}
	e := a.Editor(env, false, func(text []byte, _ bool) ([]byte, string, error) {
		return edit(text, re, between, a.Replace)
	})
	e.Missing = files.NotThere("")
	return e.Action(), nil
}

// section makes the pattern whose group "subsection" is where to replace; nil
// stands for everywhere.
func section(after, before *regexp.Regexp) (*regexp.Regexp, error) {
	const inner = `(?P<subsection>.*`
	switch {
	case after != nil && before != nil:
		return regexp.Compile(`(?s)(?:` + after.String() + `)` + inner + `?)(?:` + before.String() + `)`)
	case after != nil:
		return regexp.Compile(`(?s)(?:` + after.String() + `)` + inner + `)`)
	case before != nil:
		return regexp.Compile(`(?s)^` + inner + `)(?:` + before.String() + `)`)
	}
	return nil, nil
}

// edit replaces, and says how often.
func edit(text []byte, re, between *regexp.Regexp, with string) ([]byte, string, error) {
	from, to := 0, len(text)
	if between != nil {
		m := between.FindSubmatchIndex(text)
		if m == nil {
			return text, "Pattern for before/after params did not match the given file: " + between.String(), nil
		}
		i := between.SubexpIndex("subsection")
		from, to = m[2*i], m[2*i+1]
	}
	part := text[from:to]
	out := append([]byte(nil), text[:from]...)
	done, n := 0, 0
	for _, m := range re.FindAllSubmatchIndex(part, -1) {
		out = append(out, part[done:m[0]]...)
		var err error
		if out, err = files.ExpandMatch(out, with, re, part, m); err != nil {
			return nil, "", err
		}
		done = m[1]
		n++
	}
	if n == 0 {
		return text, "", nil
	}
	out = append(out, part[done:]...)
	return append(out, text[to:]...), fmt.Sprintf("%d replacements made", n), nil
}
