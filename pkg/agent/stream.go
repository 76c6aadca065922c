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
	credit chan struct{}
	stop   context.CancelFunc
}

var errStopped = errors.New("the other side has stopped reading")

// pour sends r as stream id, to its end or until the other side stops it. An
// error of r is told to the other side.
func (s *streams) pour(ctx context.Context, id uint64, r io.Reader) error {
	ctx, cancel := context.WithCancelCause(ctx)
	o := &outflow{credit: make(chan struct{}, window), stop: func() { cancel(errStopped) }}
	defer cancel(nil)
	for range window {
		o.credit <- struct{}{}
	}
	s.mu.Lock()
	if len(s.out) >= maxStreams || s.out[id] != nil {
		s.mu.Unlock()
		return fmt.Errorf("stream %d: too many streams at a time", id)
	}
	s.out[id] = o
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.out, id)
		s.mu.Unlock()
	}()
	buf := make([]byte, chunkSize)
	for {
		n, readErr := io.ReadFull(r, buf)
		end := chunkMsg{ID: id, Data: buf[:n], End: readErr != nil}
		if readErr != nil && readErr != io.EOF && readErr != io.ErrUnexpectedEOF {
			end.Err = readErr.Error()
		}
		select {
		case <-o.credit:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.wire.ended:
			return s.wire.err
		}
		if err := s.wire.send(ctx, kindChunk, end); err != nil {
			return err
		}
		if end.Err != "" {
			return readErr
		}
		if end.End {
			return nil
		}
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
		o.stop()
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
