package hop

import (
	"strings"

	"github.com/svcconn/svcconn/pkg/fault"
)

// SplitWords splits a command into its words as a POSIX shell splits what has quotes and
// nothing else in it: 'as it is', "with \" and \\", and a\ b. Nothing is expanded.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02
func SplitWords(text string) ([]string, error) {
	s := splitter{rest: []rune(text)}
	for len(s.rest) > 0 {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	s.end()
	return s.words, nil
}

// splitter is a command that is being split.
type splitter struct {
	rest   []rune
	words  []string
	word   strings.Builder
	inWord bool // an empty pair of quotes is a word too
}

func (s *splitter) take() rune {
	r := s.rest[0]
	s.rest = s.rest[1:]
	return r
}

func (s *splitter) add(r rune) { s.word.WriteRune(r) }

func (s *splitter) end() {
	if s.inWord {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.inWord = false
}

func (s *splitter) next() error {
	r := s.take()
	if strings.ContainsRune(" \t\r\n", r) {
		s.end()
		return nil
	}
	s.inWord = true
	switch r {
	case '\'', '"':
		return s.quoted(r)
	case '\\':
		if len(s.rest) == 0 {
			return fault.New(fault.Invalid, "the command ends with a backslash").Hint(`write \\ for a backslash, or put it between single quotes`)
		}
		r = s.take()
	}
	s.add(r)
	return nil
}

// quoted reads to the closing quote.
func (s *splitter) quoted(quote rune) error {
	for len(s.rest) > 0 {
		r := s.take()
		switch {
		case r == quote:
			return nil
		case r == '\\' && quote == '"' && len(s.rest) > 0 && strings.ContainsRune("$`\"\\", s.rest[0]):
			r = s.take()
		}
		s.add(r)
	}
	return fault.New(fault.Invalid, "the command has a quote %c that is not closed", quote)
}
