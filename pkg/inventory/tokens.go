package inventory

import (
	"errors"
	"unicode"
)

// token is a word of a line, quotes and backslashes resolved.
type token struct {
	text string
	// cols gives the column (1-based, in characters) of every character of
	// text, and of the token's end.
	cols []int
	// hash is the column of a # inside the word that began a comment, else 0.
	hash int
}

// col is where the word begins.
func (t token) col() int { return t.cols[0] }

var errOpenQuote = errors.New("a quote is opened and not closed")

// splitLine splits a line into words as Python's shlex does (which Ansible
// uses): spaces separate, both quotes group, a backslash takes the next
// character as it is (inside double quotes only before " and \), and # begins
// a comment, in the middle of a word too.
func splitLine(line string) ([]token, error) {
	s := splitter{in: []rune(line)}
	for s.i < len(s.in) {
		switch r := s.in[s.i]; {
		case unicode.IsSpace(r):
			s.end()
		case r == '#':
			if s.open {
				s.word.hash = s.i + 1
			}
			s.end()
			return s.out, nil
		case r == '\\':
			if s.i++; s.i == len(s.in) {
				return nil, errors.New("a backslash at the end of the line has nothing after it")
			}
			s.take(s.in[s.i])
		case r == '\'' || r == '"':
			if err := s.quoted(r); err != nil {
				return nil, err
			}
		default:
			s.take(r)
		}
		s.i++
	}
	s.end()
	return s.out, nil
}

type splitter struct {
	in   []rune
	i    int
	out  []token
	word token
	open bool
	buf  []rune
}

func (s *splitter) take(r rune) {
	s.open = true
	s.buf = append(s.buf, r)
	s.word.cols = append(s.word.cols, s.i+1)
}

func (s *splitter) end() {
	if s.open {
		s.word.text = string(s.buf)
		s.word.cols = append(s.word.cols, s.i+1)
		s.out = append(s.out, s.word)
	}
	s.word, s.buf, s.open = token{}, nil, false
}

// quoted reads up to the closing quote, and leaves i on it.
func (s *splitter) quoted(q rune) error {
	s.open = true
	for s.i++; s.i < len(s.in); s.i++ {
		r := s.in[s.i]
		if r == q {
			return nil
		}
		if q == '"' && r == '\\' && s.i+1 < len(s.in) && (s.in[s.i+1] == '"' || s.in[s.i+1] == '\\') {
			s.i++
			r = s.in[s.i]
		}
		s.take(r)
	}
	return errOpenQuote
}
