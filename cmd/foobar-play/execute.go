package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/report/jsonl"
	"github.com/foobar-play/foobar-play/pkg/report/text"
	"github.com/foobar-play/foobar-play/pkg/runner"
)

// execute checks the request, then lists or runs it. what are the words that
// name it on a command line.
func (o *options) execute(ctx context.Context, req runner.Request, what ...string) error {
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
	sink, sinkErr := o.sink(what)
	req.Sinks = []event.Sink{sink, text.Diagnostics(o.io.err)}
	ctx, stop, release := interrupts(ctx)
	defer release()
	req.Stop, o.stop = stop, stop
	p, err := rn.Prepare(ctx, req)
	if err != nil {
		return err
	}
	if o.onlyLooks() {
		diag.Render(o.io.err, p.Warnings(), nil)
		return o.list(p)
	}
	recap, err := p.Run(ctx)
	if err != nil && !recap.Broken { // else a message has said it
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

func (o *options) sink(what []string) (event.Sink, func() error) {
	if o.output == "jsonl" {
		r := jsonl.New(o.io.out, func(rc event.Recap) int { return rc.ExitCode(o.detailed) })
		return r, r.Err
	}
	r := text.New(o.io.out, text.Options{Color: o.colored(o.io.out), Verbosity: o.verbosity, Rerun: o.again(what)})
	return r, r.Err
}

// interrupts makes the first signal stop the run gently, the second end it at
// once, and a third do what it does to any program. What is ignored (nohup)
// stays ignored.
func interrupts(parent context.Context) (ctx context.Context, stop <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
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
			signal.Stop(signals)
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, gentle, func() { signal.Stop(signals); cancel() }
}
