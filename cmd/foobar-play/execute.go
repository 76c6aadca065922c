package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/report/jsonl"
	"github.com/foobar-play/foobar-play/pkg/report/text"
	"github.com/foobar-play/foobar-play/pkg/runner"
)

// execute checks the request, then lists or runs it.
func (o *options) execute(ctx context.Context, req runner.Request, again func([]string) string) error {
	if ctx == nil {
		ctx = context.Background()
	}
	cfg, err := o.config()
	if err != nil {
		return err
	}
	rn, err := runner.New(cfg)
	if err != nil {
		return err
	}
	sink, sinkErr := o.sink(again)
	req.Sinks = []event.Sink{sink}
	ctx, stop, release := interrupts(ctx)
	defer release()
	req.Stop = stop
	p, err := rn.Prepare(ctx, req)
	if err != nil {
		return err
	}
	if o.listHosts || o.listTasks || o.listTags || o.syntaxCheck {
		return o.list(p)
	}
	recap, err := p.Run(ctx)
	if err != nil {
		return err
	}
	if err := sinkErr(); err != nil {
		return err
	}
	if code := recap.ExitCode(o.detailed); code != event.ExitOK {
		return exitError(code)
	}
	return nil
}

func (o *options) sink(again func([]string) string) (event.Sink, func() error) {
	if o.output == "jsonl" {
		r := jsonl.New(o.io.out, func(rc event.Recap) int { return rc.ExitCode(o.detailed) })
		return r, r.Err
	}
	r := text.New(o.io.out, text.Options{Color: o.colored(o.io.out), Verbosity: o.verbosity, Rerun: again})
	return r, r.Err
}

// interrupts makes the first signal stop the run gently, and the second end it
// at once.
func interrupts(parent context.Context) (ctx context.Context, stop <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	gentle := make(chan struct{})
	go func() {
		select {
		case <-signals:
			close(gentle)
		case <-ctx.Done():
			return
		}
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, gentle, func() { signal.Stop(signals); cancel() }
}

// rerunArgs gives the command that tries again for some hosts.
func rerunArgs(what []string, o *options) func([]string) string {
	return func(hosts []string) string {
		words := append([]string{"foobar-play"}, what...)
		for _, i := range o.inventory {
			words = append(words, "-i", i)
		}
		for _, e := range o.extraVars {
			words = append(words, "-e", e)
		}
		for _, f := range []struct {
			on   bool
			word string
		}{{o.become, "-b"}, {o.askBecomePass, "-K"}, {o.askPass, "-k"}, {o.check, "--check"}, {o.diff, "--diff"}} {
			if f.on {
				words = append(words, f.word)
			}
		}
		if len(o.tags) > 0 {
			words = append(words, "--tags", strings.Join(o.tags, ","))
		}
		if len(o.skipTags) > 0 {
			words = append(words, "--skip-tags", strings.Join(o.skipTags, ","))
		}
		words = append(words, "--limit", strings.Join(hosts, ","))
		for i, w := range words {
			words[i] = shellQuote(w)
		}
		return strings.Join(words, " ")
	}
}

func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./,:=@%+", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
