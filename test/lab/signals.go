package lab

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// open are the labs of this process that a signal closes.
var open struct {
	sync.Mutex
	labs    map[*Lab]bool
	signals chan os.Signal
}

// closeOnSignal has the first SIGINT, SIGTERM or SIGHUP close the lab.
func closeOnSignal(l *Lab) {
	open.Lock()
	defer open.Unlock()
	if open.labs == nil {
		open.labs = map[*Lab]bool{}
	}
	open.labs[l] = true
	if open.signals != nil {
		return
	}
	open.signals = make(chan os.Signal, 1)
	signal.Notify(open.signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go waitSignal(open.signals)
}

func waitSignal(signals chan os.Signal) {
	received, ok := (<-signals).(syscall.Signal)
	if !ok {
		return // closed: no lab is left
	}
	open.Lock()
	var labs []*Lab
	for l := range open.labs {
		labs = append(labs, l)
	}
	open.Unlock()
	_ = each(labs, (*Lab).Close)
	// Without the handler the signal does what it would have done.
	signal.Stop(signals)
	_ = send(os.Getpid(), received)
}

// forgetSignals undoes closeOnSignal when the lab is being closed.
func forgetSignals(l *Lab) {
	open.Lock()
	defer open.Unlock()
	delete(open.labs, l)
	if len(open.labs) == 0 && open.signals != nil {
		signal.Stop(open.signals)
		close(open.signals)
		open.signals = nil
	}
}
