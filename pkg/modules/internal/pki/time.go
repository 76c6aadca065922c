package pki

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Point is a point in time: an absolute one, or one counted from now.
type Point struct {
	at       time.Time
	offset   time.Duration
	relative bool
}

// timeFormat is the absolute notation, ASN.1's, in UTC.
const timeFormat = "20060102150405Z"

var relativeTime = regexp.MustCompile(`^([+-])(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$`)

// ParsePoint reads "+90d", "-1h", "+32w1d2h" or "20270131120000Z".
func ParsePoint(text string) (Point, error) {
	if at, err := time.Parse(timeFormat, text); err == nil {
		return Point{at: at}, nil
	}
	m := relativeTime.FindStringSubmatch(text)
	if m == nil || len(text) < 2 {
		return Point{}, fmt.Errorf("%q is not a point in time: write +90d, -1h or 20270131120000Z", text)
	}
	units := []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second}
	p := Point{relative: true}
	for i, unit := range units {
		if m[i+2] == "" {
			continue
		}
		n, err := strconv.ParseInt(m[i+2], 10, 32)
		if err != nil || time.Duration(n) > 250*365*24*time.Hour/unit {
			return Point{}, fmt.Errorf("%q is too far away", text)
		}
		p.offset += time.Duration(n) * unit
	}
	if m[1] == "-" {
		p.offset = -p.offset
	}
	return p, nil
}

// Relative reports whether the point is counted from now.
func (p Point) Relative() bool { return p.relative }

// From gives the point seen from now, in UTC and whole seconds.
func (p Point) From(now time.Time) time.Time {
	if p.relative {
		return now.Add(p.offset).UTC().Truncate(time.Second)
	}
	return p.at
}

// FormatTime writes a point as certificates do: 20270131120000Z.
func FormatTime(t time.Time) string { return t.UTC().Format(timeFormat) }
