package host

import (
	"bytes"
	"io"
	"sync"
)

// recorder keeps a command's output and hands it on as it comes. The command
// never waits for the one who listens: chunks queue up.
type recorder struct {
	mu             sync.Mutex
	stdout, stderr bytes.Buffer
	queue          []chunk
	more           *sync.Cond // nil when nobody listens
	over           bool
	idle           chan struct{}
}

type chunk struct {
	stream string
	data   []byte
}

func newRecorder(on func(stream string, chunk []byte)) *recorder {
	r := &recorder{}
	if on != nil {
		r.more, r.idle = sync.NewCond(&r.mu), make(chan struct{})
		go r.deliver(on)
	}
	return r
}

func (r *recorder) stream(name string) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		buf := &r.stdout
		if name == "stderr" {
			buf = &r.stderr
		}
		if r.over { // a daemon still writes
			return len(p), nil
		}
		buf.Write(p)
		if r.more != nil {
			r.queue = append(r.queue, chunk{name, bytes.Clone(p)})
			r.more.Signal()
		}
		return len(p), nil
	})
}

func (r *recorder) deliver(on func(string, []byte)) {
	defer close(r.idle)
	for {
		r.mu.Lock()
		for len(r.queue) == 0 && !r.over {
			r.more.Wait()
		}
		batch := r.queue
		r.queue = nil
		r.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, c := range batch {
			on(c.stream, c.data)
		}
	}
}

// close ends the recording, waits until everything is delivered and returns
// the whole output.
func (r *recorder) close() (stdout, stderr []byte) {
	r.mu.Lock()
	r.over = true
	if r.more != nil {
		r.more.Signal()
	}
	r.mu.Unlock()
	if r.idle != nil {
		<-r.idle
	}
	return r.stdout.Bytes(), r.stderr.Bytes()
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
