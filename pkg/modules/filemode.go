package modules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// FileMode is an option for permission bits. 644, 0644, "0644", 0o644 and
// u=rw,g=r,o=r all mean the same; "preserve" is kept as a word for modules
// that know it. The zero value means the option was left out.
type FileMode struct{ text string }

// NewFileMode makes a FileMode from bits, for modules built of others.
func NewFileMode(bits uint32) FileMode { return FileMode{text: fmt.Sprintf("%04o", bits)} }

// IsSet reports whether the option was given.
func (m FileMode) IsSet() bool { return m.text != "" }

// IsPreserve reports whether the option says "preserve".
func (m FileMode) IsPreserve() bool { return m.text == "preserve" }

// String gives the mode as written.
func (m FileMode) String() string { return m.text }

var (
	octalMode = regexp.MustCompile(`^(0o)?[0-7]{1,5}$`)
	clause    = regexp.MustCompile(`^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$`)
	change    = regexp.MustCompile(`[-+=](?:[ugo]$|[rwxXst]*)`)
)

// DecodeArg reads a mode; a number's decimal digits are taken as octal ones,
// because that is what people mean by 644.
func (m *FileMode) DecodeArg(v any) error {
	text := strings.TrimSpace(value.Text(v))
	switch v.(type) {
	case int, string:
	default:
		return fmt.Errorf("expected a mode such as \"0644\", found %s", value.Kind(v))
	}
	if text == "preserve" || octalMode.MatchString(text) {
		m.text = text
		return nil
	}
	for c := range strings.SplitSeq(text, ",") {
		if !clause.MatchString(c) {
			return fmt.Errorf("%q is not a mode: write \"0644\" or u=rw,g=r,o=r", text)
		}
	}
	m.text = text
	return nil
}

// EncodeArg gives the mode as text.
func (m *FileMode) EncodeArg() any { return m.text }

// ArgType is "mode".
func (m *FileMode) ArgType() string { return "mode" }

// Resolve gives the permission bits wanted for a path that now has cur; dir
// tells whether it is a directory (for X). An unset mode and "preserve" keep
// cur. The umask does not apply: "+x" means "a+x".
func (m FileMode) Resolve(cur uint32, dir bool) uint32 {
	switch {
	case !m.IsSet() || m.IsPreserve():
		return cur
	case octalMode.MatchString(m.text):
		n, _ := strconv.ParseUint(strings.TrimPrefix(m.text, "0o"), 8, 32)
		return uint32(n)
	}
	for c := range strings.SplitSeq(m.text, ",") {
		parts := clause.FindStringSubmatch(c)
		for _, ch := range change.FindAllString(parts[2], -1) {
			cur = symbolic(cur, parts[1], ch[0], ch[1:], dir)
		}
	}
	return cur
}

func symbolic(cur uint32, who string, op byte, perms string, dir bool) uint32 {
	if who == "" || strings.Contains(who, "a") {
		who = "ugo"
	}
	var set, mask uint32
	for _, w := range who {
		shift := map[rune]uint{'u': 6, 'g': 3, 'o': 0}[w]
		mask |= 7 << shift
		set |= bits(cur, perms, dir) << shift
		if strings.Contains(perms, "s") {
			set |= map[rune]uint32{'u': 0o4000, 'g': 0o2000}[w]
		}
		if op == '=' {
			mask |= map[rune]uint32{'u': 0o4000, 'g': 0o2000}[w]
		}
	}
	if strings.Contains(perms, "t") {
		set |= 0o1000
	}
	switch op {
	case '+':
		return cur | set
	case '-':
		return cur &^ set
	}
	return cur&^mask | set
}

func bits(cur uint32, perms string, dir bool) uint32 {
	var b uint32
	for _, p := range perms {
		switch p {
		case 'r':
			b |= 4
		case 'w':
			b |= 2
		case 'x':
			b |= 1
		case 'X':
			if dir || cur&0o111 != 0 {
				b |= 1
			}
		case 'u':
			b |= cur >> 6 & 7
		case 'g':
			b |= cur >> 3 & 7
		case 'o':
			b |= cur & 7
		}
	}
	return b
}
