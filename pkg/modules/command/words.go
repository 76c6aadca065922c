package command

import (
	"errors"
	"strings"
)

// Words splits a line as a POSIX shell splits words, with quotes and
// backslashes but without any expansion. An open quote or a trailing backslash
// is an error.
func Words(line string) ([]string, error) {
	s := splitter{rest: line}
	for s.rest != "" {
		if err := s.step(); err != nil {
			return nil, err
		}
	}
	s.end()
	return s.words, nil
}

type splitter struct {
	rest  string
	word  strings.Builder
	open  bool // a word has begun, perhaps an empty quoted one
	words []string
}

func (s *splitter) step() error {
	c := s.rest[0]
	s.rest = s.rest[1:]
	switch c {
	case ' ', '\t', '\n', '\r':
		s.end()
	case '\'':
		return s.single()
	case '"':
		return s.double()
	case '\\':
		if s.rest == "" {
			return errors.New("a backslash ends the command, with nothing to escape")
		}
		s.put(s.rest[0])
		s.rest = s.rest[1:]
	default:
		s.put(c)
	}
	return nil
}

func (s *splitter) put(c byte) {
	s.open = true
	s.word.WriteByte(c)
}

func (s *splitter) end() {
	if s.open {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.open = false
}

func (s *splitter) single() error {
	s.open = true
	text, rest, ok := strings.Cut(s.rest, "'")
	if !ok {
		return errors.New("a single quote is not closed")
	}
	s.word.WriteString(text)
	s.rest = rest
	return nil
}

func (s *splitter) double() error {
	s.open = true
	for s.rest != "" {
		c := s.rest[0]
		s.rest = s.rest[1:]
		switch {
		case c == '"':
			return nil
		case c == '\\' && s.rest != "" && (s.rest[0] == '"' || s.rest[0] == '\\'):
			s.put(s.rest[0])
			s.rest = s.rest[1:]
		default:
			s.put(c)
		}
	}
	return errors.New("a double quote is not closed")
}

// Quote writes a word so that a POSIX shell reads it back unchanged.
func Quote(word string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=@%+,", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !safe(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
