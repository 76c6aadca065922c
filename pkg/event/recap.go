package event

import (
	"maps"
	"slices"
	"time"
)

// HostStats counts a host's task results by Ansible's rules: a loop counts
// once; a task that changed counts under OK and Changed; an ignored failure,
// or a host whose unreachability is ignored, under OK and Ignored; a rescued one under Rescued.
type HostStats struct {
	OK          int `json:"ok"`
	Changed     int `json:"changed"`
	Unreachable int `json:"unreachable"`
	Failed      int `json:"failed"`
	Skipped     int `json:"skipped"`
	Rescued     int `json:"rescued"`
	Ignored     int `json:"ignored"`
	Maybe       int `json:"maybe"`
}

// Recap is the fold of a run's events.
type Recap struct {
	Hosts map[string]HostStats
	// Failures are the results that failed or were unreachable and neither
	// ignored nor rescued, in order.
	Failures []TaskResult
	// NoHostsLeft is set when a play ended because all its hosts had failed.
	NoHostsLeft bool
	Interrupted bool
	// Broken is set when the run could not be carried on, for a reason that is
	// no host's; a Message tells it.
	Broken   bool
	Check    bool
	Duration time.Duration
}

// HostNames lists the hosts, sorted.
func (r Recap) HostNames() []string { return slices.Sorted(maps.Keys(r.Hosts)) }

// Changed reports whether anything changed, or in a dry run would or may.
func (r Recap) Changed() bool {
	for _, s := range r.Hosts {
		if s.Changed > 0 || s.Maybe > 0 {
			return true
		}
	}
	return false
}

// The exit codes of a run; the first two are bits that add up.
const (
	ExitOK          = 0
	ExitUnexpected  = 1
	ExitFailed      = 2  // a task failed on some host
	ExitUnreachable = 4  // a host could not be reached
	ExitChanged     = 8  // only with --detailed-exitcode: something changed or would
	ExitUsage       = 64 // wrong command line
	ExitInvalid     = 65 // playbook, role or inventory invalid; nothing contacted
	ExitInterrupted = 130
)

// ExitCode folds the recap: ExitInterrupted when the run was interrupted,
// ExitUnexpected when it broke, else the bits ExitFailed, ExitUnreachable and,
// when detailed, ExitChanged.
func (r Recap) ExitCode(detailed bool) int {
	switch {
	case r.Interrupted:
		return ExitInterrupted
	case r.Broken:
		return ExitUnexpected
	}
	code := ExitOK
	for _, s := range r.Hosts {
		if s.Failed > 0 {
			code |= ExitFailed
		}
		if s.Unreachable > 0 {
			code |= ExitUnreachable
		}
	}
	if detailed && r.Changed() {
		code |= ExitChanged
	}
	return code
}

// Folder folds events into a Recap. The zero value is ready; it is a Sink.
type Folder struct{ recap Recap }

// Recap returns what was folded so far.
func (f *Folder) Recap() Recap {
	out := f.recap
	out.Hosts = maps.Clone(f.recap.Hosts)
	out.Failures = slices.Clone(f.recap.Failures)
	return out
}

// Event folds one event.
func (f *Folder) Event(e Event) {
	if f.recap.Hosts == nil {
		f.recap.Hosts = map[string]HostStats{}
	}
	switch b := e.Body.(type) {
	case RunStarted:
		f.recap.Check = b.Check
	case PlayStarted:
		for _, h := range b.Hosts {
			if _, known := f.recap.Hosts[h]; !known {
				f.recap.Hosts[h] = HostStats{}
			}
		}
	case HostUnreachable:
		s := f.recap.Hosts[b.Host]
		s.Unreachable++
		f.recap.Hosts[b.Host] = s
		f.recap.Failures = append(f.recap.Failures, TaskResult{Host: b.Host, Status: Unreachable, Msg: b.Msg})
	case TaskResult:
		f.result(b)
	}
}

func (f *Folder) result(r TaskResult) {
	if r.Item != nil {
		return
	}
	s := f.recap.Hosts[r.Host]
	switch r.Status {
	case OK:
		s.OK++
	case Changed:
		s.OK++
		s.Changed++
	case Maybe:
		s.OK++
		s.Maybe++
	case Skipped:
		s.Skipped++
	case Failed, Unreachable:
		f.failure(r, &s)
	}
	f.recap.Hosts[r.Host] = s
}

func (f *Folder) failure(r TaskResult, s *HostStats) {
	switch {
	case r.Ignored:
		s.OK++
		s.Ignored++
	case r.Rescued:
		s.Rescued++
	case r.Status == Unreachable:
		s.Unreachable++
		f.recap.Failures = append(f.recap.Failures, r)
	default:
		s.Failed++
		f.recap.Failures = append(f.recap.Failures, r)
	}
}
