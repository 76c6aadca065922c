package file

import (
	"fmt"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

// moment is a wanted time: left as it is (the zero value), now, or fixed.
type moment struct {
	now   bool
	fixed time.Time
}

// times are the wanted access and modification times.
type times struct{ acc, mod moment }

func (a *args) times() (times, error) {
	acc, err := a.moment("access_time", a.AccessTime, a.AccFormat)
	if err != nil {
		return times{}, err
	}
	mod, err := a.moment("modification_time", a.ModTime, a.ModFormat)
	return times{acc, mod}, err
}

func (a *args) moment(option, text, format string) (moment, error) {
	switch {
	case text == "now", text == "" && a.State == "touch":
		return moment{now: true}, nil
	case text == "preserve", text == "":
		return moment{}, nil
	}
	layout, err := layoutOf(format)
	if err != nil {
		return moment{}, fmt.Errorf("%s_format: %w", option, err)
	}
	t, err := time.ParseInLocation(layout, text, time.Local)
	if err != nil {
		return moment{}, fmt.Errorf("%s is %q, and must be now, preserve or a time written as %s", option, text, format)
	}
	return moment{fixed: t}, nil
}

// layouts are Go's words for strftime's.
var layouts = map[byte]string{
	'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'H': "15", 'I': "03", 'M': "04", 'S': "05",
	'p': "PM", 'j': "002", 'b': "Jan", 'B': "January", 'a': "Mon", 'A': "Monday", 'z': "-0700", 'Z': "MST", '%': "%",
	'F': "2006-01-02", 'T': "15:04:05",
}

func layoutOf(format string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		i++
		if i == len(format) || layouts[format[i]] == "" {
			return "", fmt.Errorf("%q is not understood at its character %d", format, i)
		}
		b.WriteString(layouts[format[i]])
	}
	return b.String(), nil
}

// at gives the times to set; zero ones are left.
func (t times) at(now time.Time) (acc, mod time.Time) {
	pick := func(m moment) time.Time {
		if m.now {
			return now
		}
		return m.fixed
	}
	return pick(t.acc), pick(t.mod)
}

// changes lists the times that differ. With applied, "now" has been.
func (t times) changes(cur stamps, applied bool) []modules.Change {
	var out []modules.Change
	one := func(field string, m moment, is time.Time) {
		c := modules.Change{Field: field, Before: is.Format(time.RFC3339)}
		if is.IsZero() {
			c.Before = nil
		}
		switch {
		case m.now && !applied:
			c.After = "now"
		case !m.fixed.IsZero() && !is.Equal(m.fixed):
			c.After = m.fixed.Format(time.RFC3339)
		default:
			return
		}
		out = append(out, c)
	}
	one("atime", t.acc, cur.acc)
	one("mtime", t.mod, cur.mod)
	return out
}
