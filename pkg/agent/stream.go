package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	// chunkSize is the most bytes of one chunk of a stream.
	chunkSize = 64 << 10
	// window is how many chunks may be under way unread: neither side ever
	// holds more than window*chunkSize bytes of a file.
	window = 16
	// maxStreams bounds the streams of one conversation at a time.
	maxStreams = 64
)

// streams are the contents that cross a wire at the moment, in both
// directions. Their numbers are given by the agent.
type streams struct {
	wire *wire

	mu   sync.Mutex
	last uint64
	in   map[uint64]*inflow
	out  map[uint64]*outflow
}

func newStreams(w *wire) *streams {
	return &streams{wire: w, in: map[uint64]*inflow{}, out: map[uint64]*outflow{}}
}

// next gives a number for a new stream; the agent calls it.
func (s *streams) next() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return s.last
}

// inflow is a stream that arrives here. Read it to the end or Close it.
type inflow struct {
	streams *streams
	id      uint64
	ctx     context.Context
	chunks  chan chunkMsg
	rest    []byte
	err     error
}

// expect opens the receiving end of stream id.
func (s *streams) expect(ctx context.Context, id uint64) (*inflow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.in) >= maxStreams || s.in[id] != nil {
		return nil, fmt.Errorf("stream %d: too many streams at a time", id)
	}
	f := &inflow{streams: s, id: id, ctx: ctx, chunks: make(chan chunkMsg, window+1)}
	s.in[id] = f
	return f, nil
}

func (f *inflow) Read(p []byte) (int, error) {
	for len(f.rest) == 0 {
		if f.err != nil {
			return 0, f.err
		}
		if err := f.next(); err != nil {
			f.err = err
			return 0, err
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *inflow) next() error {
	select {
	case c := <-f.chunks:
		f.rest = c.Data
		if c.End {
			f.err = io.EOF
			if c.Err != "" {
				f.err = errors.New(c.Err)
			}
			f.forget()
			return nil
		}
		return f.streams.wire.send(f.ctx, kindCredit, idMsg{f.id})
	case <-f.streams.wire.ended:
		return f.streams.wire.err
	case <-f.ctx.Done():
		return context.Cause(f.ctx)
	}
}

func (f *inflow) forget() bool {
	f.streams.mu.Lock()
	defer f.streams.mu.Unlock()
	_, open := f.streams.in[f.id]
	delete(f.streams.in, f.id)
	return open
}

// Close tells the sender to stop when the end has not been read.
func (f *inflow) Close() error {
	if f.forget() {
		return f.streams.wire.send(f.ctx, kindStop, idMsg{f.id})
	}
	return nil
}

// outflow is a stream that leaves here.
type outflow struct {
	streams *streams
	id      uint64
	ctx     context.Context
	cancel  context.CancelCauseFunc
	credit  chan struct{}
}

var errStopped = errors.New("the other side has stopped reading")

// leave opens the sending end of stream id. It must be open before the other
// side knows of the stream: its Stop may come at once. Pour or close it.
func (s *streams) leave(ctx context.Context, id uint64) (*outflow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out) >= maxStreams || s.out[id] != nil {
		return nil, fmt.Errorf("stream %d: too many streams at a time", id)
	}
	o := &outflow{streams: s, id: id, credit: make(chan struct{}, window)}
	o.ctx, o.cancel = context.WithCancelCause(ctx)
	for range window {
		o.credit <- struct{}{}
	}
	s.out[id] = o
	return o, nil
}

func (o *outflow) close() {
	o.cancel(nil)
	o.streams.mu.Lock()
	defer o.streams.mu.Unlock()
	delete(o.streams.out, o.id)
}

// pour sends r to its end, or until the other side stops it. An error of r is
// told to the other side.
func (o *outflow) pour(r io.Reader) error {
	defer o.close()
	buf := make([]byte, chunkSize)
	for {
		n, readErr := io.ReadFull(r, buf)
		c := chunkMsg{ID: o.id, Data: buf[:n], End: readErr != nil}
		failed := readErr != nil && readErr != io.EOF && readErr != io.ErrUnexpectedEOF
		if failed {
			c.Err = readErr.Error()
		}
		if err := o.send(c); err != nil {
			return err
		}
		switch {
		case failed:
			return readErr
		case c.End:
			return nil
		}
	}
}

// send waits until the other side takes one more chunk.
func (o *outflow) send(c chunkMsg) error {
	select {
	case <-o.credit:
		return o.streams.wire.send(o.ctx, kindChunk, c)
	case <-o.ctx.Done():
		return context.Cause(o.ctx)
	case <-o.streams.wire.ended:
		return o.streams.wire.err
	}
}

// handle takes the frames that belong to streams; it never blocks. A frame for
// a stream that is closed already is late, not wrong.
func (s *streams) handle(k kind, body []byte) error {
	if k == kindChunk {
		var c chunkMsg
		if err := decode(body, &c); err != nil {
			return err
		}
		return s.take(c)
	}
	var m idMsg
	if err := decode(body, &m); err != nil {
		return err
	}
	s.mu.Lock()
	o := s.out[m.ID]
	s.mu.Unlock()
	switch {
	case o == nil:
	case k == kindStop:
		o.cancel(errStopped)
	default:
		select {
		case o.credit <- struct{}{}:
		default:
			return fmt.Errorf("stream %d: more credit than chunks", m.ID)
		}
	}
	return nil
}

func (s *streams) take(c chunkMsg) error {
	s.mu.Lock()
	f := s.in[c.ID]
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	if len(c.Data) > chunkSize {
		return fmt.Errorf("stream %d: a chunk of %d bytes", c.ID, len(c.Data))
	}
	select {
	case f.chunks <- c:
		return nil
	default:
		return fmt.Errorf("stream %d: more chunks than its window", c.ID)
	}
}
