package event_test

import (
	"reflect"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/event"
)

func fold(bodies ...event.Body) event.Recap {
	var f event.Folder
	for i, b := range bodies {
		f.Event(event.Event{Seq: i + 1, Body: b})
	}
	return f.Recap()
}

// TestFolderCounts pins Ansible's rules: what one result adds to its host.
func TestFolderCounts(t *testing.T) {
	type result = event.TaskResult
	item := &event.Item{Label: "x"}
	for name, c := range map[string]struct {
		results  []result
		want     event.HostStats
		failures int
	}{
		"ok":                         {[]result{{Status: event.OK}}, event.HostStats{OK: 1}, 0},
		"changed counts twice":       {[]result{{Status: event.Changed}}, event.HostStats{OK: 1, Changed: 1}, 0},
		"maybe":                      {[]result{{Status: event.Maybe}}, event.HostStats{OK: 1, Maybe: 1}, 0},
		"skipped":                    {[]result{{Status: event.Skipped}}, event.HostStats{Skipped: 1}, 0},
		"failed":                     {[]result{{Status: event.Failed}}, event.HostStats{Failed: 1}, 1},
		"failed, ignored":            {[]result{{Status: event.Failed, Ignored: true}}, event.HostStats{OK: 1, Ignored: 1}, 0},
		"failed, rescued":            {[]result{{Status: event.Failed, Rescued: true}}, event.HostStats{Rescued: 1}, 0},
		"unreachable":                {[]result{{Status: event.Unreachable}}, event.HostStats{Unreachable: 1}, 1},
		"unreachable, ignored":       {[]result{{Status: event.Unreachable, Ignored: true}}, event.HostStats{OK: 1, Ignored: 1}, 0},
		"items alone do not count":   {[]result{{Status: event.Failed, Item: item}, {Status: event.Changed, Item: item}}, event.HostStats{}, 0},
		"a loop counts once":         {[]result{{Status: event.Changed, Item: item}, {Status: event.OK, Item: item}, {Status: event.Changed, Loop: true}}, event.HostStats{OK: 1, Changed: 1}, 0},
		"a failed loop counts once":  {[]result{{Status: event.OK, Item: item}, {Status: event.Failed, Item: item}, {Status: event.Failed, Loop: true}}, event.HostStats{Failed: 1}, 1},
		"an ignored loop is ignored": {[]result{{Status: event.Failed, Item: item, Ignored: true}, {Status: event.Failed, Loop: true, Ignored: true}}, event.HostStats{OK: 1, Ignored: 1}, 0},
		"they add up":                {[]result{{Status: event.OK}, {Status: event.OK}, {Status: event.Changed}, {Status: event.Failed}}, event.HostStats{OK: 3, Changed: 1, Failed: 1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bodies := []event.Body{event.PlayStarted{Hosts: []string{"web01"}}}
			for _, r := range c.results {
				r.Host = "web01"
				bodies = append(bodies, r)
			}
			got := fold(bodies...)
			if got.Hosts["web01"] != c.want || len(got.Failures) != c.failures {
				t.Errorf("got %+v and %d failures, want %+v and %d", got.Hosts["web01"], len(got.Failures), c.want, c.failures)
			}
		})
	}
}

func TestFolderKnowsHostsOfPlays(t *testing.T) {
	got := fold(
		event.RunStarted{Check: true},
		event.PlayStarted{Hosts: []string{"b", "a"}},
		event.TaskResult{Host: "a", Status: event.OK},
		event.PlayStarted{Hosts: []string{"a", "c"}},
	)
	if want := []string{"a", "b", "c"}; !reflect.DeepEqual(got.HostNames(), want) {
		t.Errorf("hosts %v", got.HostNames())
	}
	if got.Hosts["a"].OK != 1 || !got.Check {
		t.Errorf("a second play forgot the first: %+v", got)
	}
}

func TestFolderUnreachableOutsideOfATask(t *testing.T) {
	got := fold(event.HostUnreachable{Host: "a", Msg: "gone"})
	if got.Hosts["a"].Unreachable != 1 || len(got.Failures) != 1 || got.Failures[0].Msg != "gone" || got.Failures[0].Status != event.Unreachable {
		t.Errorf("got %+v", got)
	}
}

func TestFolderKeepsFailuresInOrder(t *testing.T) {
	var f event.Folder
	for _, h := range []string{"c", "a", "b"} {
		f.Event(event.Event{Body: event.TaskResult{Host: h, Status: event.Failed}})
	}
	before := f.Recap()
	f.Event(event.Event{Body: event.TaskResult{Host: "a", Status: event.OK}})
	var hosts []string
	for _, r := range before.Failures {
		hosts = append(hosts, r.Host)
	}
	if !reflect.DeepEqual(hosts, []string{"c", "a", "b"}) {
		t.Errorf("failures %v", hosts)
	}
	if before.Hosts["a"].OK != 0 {
		t.Error("a recap changed after it was taken")
	}
}

func TestExitCode(t *testing.T) {
	type stats = map[string]event.HostStats
	for name, c := range map[string]struct {
		recap           event.Recap
		plain, detailed int
	}{
		"nothing":         {event.Recap{}, 0, 0},
		"fine":            {event.Recap{Hosts: stats{"a": {OK: 3}}}, 0, 0},
		"changed":         {event.Recap{Hosts: stats{"a": {OK: 3, Changed: 1}}}, 0, 8},
		"maybe":           {event.Recap{Hosts: stats{"a": {OK: 3, Maybe: 1}}}, 0, 8},
		"skipped":         {event.Recap{Hosts: stats{"a": {Skipped: 3}}}, 0, 0},
		"ignored":         {event.Recap{Hosts: stats{"a": {OK: 1, Ignored: 1}}}, 0, 0},
		"rescued":         {event.Recap{Hosts: stats{"a": {Rescued: 1}}}, 0, 0},
		"failed":          {event.Recap{Hosts: stats{"a": {Failed: 1}}}, 2, 2},
		"unreachable":     {event.Recap{Hosts: stats{"a": {Unreachable: 1}}}, 4, 4},
		"both":            {event.Recap{Hosts: stats{"a": {Failed: 1}, "b": {Unreachable: 1}}}, 6, 6},
		"two failed":      {event.Recap{Hosts: stats{"a": {Failed: 1}, "b": {Failed: 2}}}, 2, 2},
		"all":             {event.Recap{Hosts: stats{"a": {Failed: 1}, "b": {Unreachable: 1}, "c": {Changed: 1}}}, 6, 14},
		"interrupted":     {event.Recap{Interrupted: true, Hosts: stats{"a": {Failed: 1, Changed: 1}}}, 130, 130},
		"broken":          {event.Recap{Broken: true, Hosts: stats{"a": {Changed: 1}}}, 1, 1},
		"broken, stopped": {event.Recap{Broken: true, Interrupted: true}, 130, 130},
	} {
		if got := c.recap.ExitCode(false); got != c.plain {
			t.Errorf("%s: %d, want %d", name, got, c.plain)
		}
		if got := c.recap.ExitCode(true); got != c.detailed {
			t.Errorf("%s, detailed: %d, want %d", name, got, c.detailed)
		}
	}
}

func TestSinkFunc(t *testing.T) {
	var got int
	var s event.Sink = event.SinkFunc(func(e event.Event) { got = e.Seq })
	s.Event(event.Event{Seq: 7})
	if got != 7 {
		t.Error("the function was not called")
	}
}
