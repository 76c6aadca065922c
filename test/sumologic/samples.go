package sumologic

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Sample is one value of a metric.
type Sample struct {
	Metric string
	Labels map[string]string
	Value  float64
	Time   int64 // milliseconds since 1970
}

// prometheus is the content type of metrics in the dotted Prometheus format.
const prometheus = "application/vnd.sumologic.prometheus"

var (
	line  = regexp.MustCompile(`^([A-Za-z_][\w.:]*)(?:\{(.*)\})? (\S+) (\d+)$`)
	label = regexp.MustCompile(`([\w.]+)="((?:[^"\\]|\\.)*)"`)
)

// Samples reads the metrics out of posts, oldest first. A line that is no
// metric is an error. What was sent twice is returned once.
func Samples(posts []Post) ([]Sample, error) {
	var out []Sample
	seen := map[string]bool{}
	for _, p := range posts {
		if p.ContentType != prometheus {
			continue
		}
		for text := range strings.Lines(p.Body) {
			text = strings.TrimSpace(text)
			if text == "" || seen[text] {
				continue
			}
			seen[text] = true
			s, err := parse(text)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Sample) int { return cmp.Compare(a.Time, b.Time) })
	return out, nil
}

func parse(text string) (Sample, error) {
	m := line.FindStringSubmatch(text)
	if m == nil {
		return Sample{}, fmt.Errorf("%q is no metric", text)
	}
	s := Sample{Metric: m[1], Labels: map[string]string{}}
	for _, l := range label.FindAllStringSubmatch(m[2], -1) {
		s.Labels[l[1]] = l[2]
	}
	var err error
	if s.Value, err = strconv.ParseFloat(m[3], 64); err != nil {
		return Sample{}, fmt.Errorf("%q: %w", text, err)
	}
	if s.Time, err = strconv.ParseInt(m[4], 10, 64); err != nil {
		return Sample{}, fmt.Errorf("%q: %w", text, err)
	}
	return s, nil
}

// Of returns a host's samples of a metric.
func Of(all []Sample, host, metric string) []Sample {
	return slices.DeleteFunc(slices.Clone(all), func(s Sample) bool {
		return s.Metric != metric || s.Labels["host.name"] != host
	})
}
