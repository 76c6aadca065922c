package find

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

// filter is what a path must be like.
type filter struct {
	args               *args
	patterns, excludes []*regexp.Regexp
	age, size          *bound
	now                time.Time
}

// bound is a least number, or with most a largest.
type bound struct {
	n    int64
	most bool
}

func (b *bound) holds(n int64) bool {
	if b.most {
		return n <= b.n
	}
	return n >= b.n
}

func (a *args) filter() (*filter, error) {
	f := &filter{args: a, now: time.Now()}
	var err error
	if f.patterns, err = compile("patterns", a.Patterns, a.UseRegex); err != nil {
		return nil, err
	}
	if f.excludes, err = compile("excludes", a.Excludes, a.UseRegex); err != nil {
		return nil, err
	}
	if f.age, err = parseBound("age", a.Age, map[string]int64{"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}); err != nil {
		return nil, err
	}
	f.size, err = parseBound("size", a.Size, map[string]int64{"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40})
	return f, err
}

var boundText = regexp.MustCompile(`^(-?)(\d+)([a-z]?)$`)

func parseBound(option, text string, units map[string]int64) (*bound, error) {
	if text == "" {
		return nil, nil
	}
	m := boundText.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil || units[m[3]] == 0 {
		return nil, fmt.Errorf("%s is %q, and must be a number with a unit, such as %s", option, text,
			map[string]string{"age": "2d or -1h", "size": "10m or -4k"}[option])
	}
	n, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil || n > (1<<62)/units[m[3]] {
		return nil, fmt.Errorf("%s is %q, which is too large", option, text)
	}
	return &bound{n: n * units[m[3]], most: m[1] == "-"}, nil
}

func compile(option string, patterns []string, areRegexps bool) ([]*regexp.Regexp, error) {
	var out []*regexp.Regexp
	for _, p := range patterns {
		text := "^(?:" + p + ")"
		if !areRegexps {
			text = shell(p)
		}
		re, err := files.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", option, err)
		}
		out = append(out, re)
	}
	return out, nil
}

// shell makes a regular expression of a shell pattern: *, ?, [abc] and [!abc].
func shell(p string) string {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for i := 0; i < len(p); i++ {
		switch c := p[i]; c {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteByte('.')
		case '[':
			end := strings.IndexByte(p[min(i+2, len(p)):], ']')
			if end < 0 {
				b.WriteString(`\[`)
				continue
			}
			end += i + 2
			set := strings.ReplaceAll(p[i+1:end], `\`, `\\`)
			set = strings.ReplaceAll(set, "[", `\[`)
			switch set[0] {
			case '!':
				set = "^" + set[1:]
			case '^':
				set = `\` + set
			}
			b.WriteString("[" + set + "]")
			i = end
		default:
			// Bytes of longer runes have no meaning of their own.
			b.WriteString(regexp.QuoteMeta(p[i : i+1]))
		}
	}
	return b.String() + "$"
}

// fits reports whether a path is meant. Content is looked at last.
func (f *filter) fits(r host.Reader, e host.FileInfo) (bool, error) {
	name := path.Base(e.Path)
	a := f.args
	if a.FileType != "any" && a.FileType != string(e.Type) ||
		len(f.patterns) > 0 && !matches(f.patterns, name) || matches(f.excludes, name) {
		return false, nil
	}
	stamp := map[string]time.Time{"atime": e.AccTime, "ctime": e.ChgTime, "mtime": e.ModTime}[a.AgeStamp]
	if f.age != nil && !f.age.holds(int64(f.now.Sub(stamp)/time.Second)) {
		return false, nil
	}
	if f.size != nil && !f.size.holds(e.Size) {
		return false, nil
	}
	if a.Mode.IsSet() {
		want := a.Mode.Resolve(0, e.Type == host.Directory)
		if a.ExactMode && e.Mode != want || e.Mode&want != want {
			return false, nil
		}
	}
	if !a.Contains.IsSet() {
		return true, nil
	}
	if e.Type != host.File {
		return false, nil
	}
	return f.contains(r, e.Path)
}

func matches(list []*regexp.Regexp, name string) bool {
	for _, re := range list {
		if re.MatchString(name) {
			return true
		}
	}
	return false
}

func (f *filter) contains(r host.Reader, p string) (bool, error) {
	re := f.args.Contains.Regexp()
	if f.args.WholeFile {
		b, err := host.ReadFile(r, p)
		return re.Match(b), err
	}
	in, err := r.Open(p)
	if err != nil {
		return false, err
	}
	defer in.Close()
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if at := re.FindStringIndex(files.Bare(line)); line != "" && at != nil && at[0] == 0 {
			return true, nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return false, nil
			}
			return false, err
		}
	}
}
