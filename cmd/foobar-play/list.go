package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/runner"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// list shows hosts, tasks and tags in ansible-playbook's layout.
func (o *options) list(p *runner.Prepared) error {
	for _, pb := range p.Playbooks() {
		fmt.Fprintf(o.io.out, "\nplaybook: %s\n", pb.Path)
		if !o.listHosts && !o.listTasks && !o.listTags {
			continue
		}
		for i, play := range pb.Plays {
			if err := o.listPlay(p, i, play); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *options) listPlay(p *runner.Prepared, i int, play *playbook.Play) error {
	fmt.Fprintf(o.io.out, "\n  play #%d (%s): %s\tTAGS: [%s]\n", i+1, playHosts(play), playTitle(play), strings.Join(play.Tags, ", "))
	if o.listHosts {
		hosts, err := p.Hosts(play)
		if err != nil {
			return err
		}
		fmt.Fprintf(o.io.out, "    pattern: %s\n    hosts (%d):\n", playHosts(play), len(hosts))
		for _, h := range hosts {
			fmt.Fprintf(o.io.out, "      %s\n", h)
		}
	}
	var tags []string
	if o.listTasks {
		fmt.Fprintln(o.io.out, "    tasks:")
	}
	playbook.WalkTasks(play, func(t *playbook.Task) {
		if t.Block != nil || t.Meta != "" || !t.Selected(o.tags, o.skipTags) {
			return
		}
		for _, tag := range t.AllTags {
			if !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
		if o.listTasks {
			fmt.Fprintf(o.io.out, "      %s\tTAGS: [%s]\n", taskTitle(t), strings.Join(t.AllTags, ", "))
		}
	})
	if o.listTags {
		slices.Sort(tags)
		fmt.Fprintf(o.io.out, "      TASK TAGS: [%s]\n", strings.Join(tags, ", "))
	}
	return nil
}

// playHosts is the pattern as written.
func playHosts(play *playbook.Play) string {
	list, ok := play.Hosts.Node().Value().([]any)
	if !ok {
		return value.Text(play.Hosts.Node().Value())
	}
	var patterns []string
	for _, p := range list {
		patterns = append(patterns, value.Text(p))
	}
	return strings.Join(patterns, ",")
}

func playTitle(play *playbook.Play) string {
	if play.Name == nil {
		return playHosts(play)
	}
	return value.Text(play.Name.Node().Value())
}

func taskTitle(t *playbook.Task) string {
	name := t.ActionName()
	if t.Name != nil {
		name = value.Text(t.Name.Node().Value())
	}
	if t.Role != nil {
		return t.Role.Name + " : " + name
	}
	return name
}
