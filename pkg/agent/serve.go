package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

const (
	// pingInterval is how often the controller shows that it lives. An agent
	// that hears nothing for silence leaves: its controller is gone without the
	// connection's end having reached the host.
	pingInterval = 15 * time.Second
	silence      = 2 * time.Minute
	// maxQueue bounds the requests that wait for their turn.
	maxQueue = 4096
	// leaveGrace is how long the agent waits, at its end, for the module that
	// was running.
	leaveGrace = time.Second
)

// server is the agent's half of a conversation.
type server struct {
	wire    *wire
	streams *streams
	worker  *worker
	cancel  context.CancelFunc // ends every request

	mu      sync.Mutex
	queue   []*job
	current *job
	more    chan struct{}
	offers  map[uint64]chan storedMsg // streams whose outcome the controller owes
}

// job is a request that waits or runs.
type job struct {
	msg    requestMsg
	ctx    context.Context
	cancel context.CancelCauseFunc
}

var errCancelledByUser = fmt.Errorf("the task was cancelled: %w", context.Canceled)

// serve answers requests until the conversation ends: by the end of in, a
// Shutdown, silence, a malformed frame or ctx. Everything that was started has
// then been ended. The error is nil when the end was orderly.
func serve(ctx context.Context, w *worker, hello helloMsg, in io.Reader, out io.Writer, patience time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{wire: newWire(bufio.NewReader(in), out), worker: w, cancel: cancel, more: make(chan struct{}, 1), offers: map[uint64]chan storedMsg{}}
	s.streams = newStreams(s.wire)
	defer context.AfterFunc(ctx, func() { s.wire.end(context.Cause(ctx)) })()

	worked := make(chan struct{})
	go func() {
		defer close(worked)
		s.work(ctx)
	}()
	if err := s.wire.send(ctx, kindHello, hello); err != nil {
		s.wire.end(err)
	} else {
		go s.listen(ctx, patience)
	}
	<-s.wire.ended
	cancel()
	err := errors.Join(w.close())
	for _, c := range []<-chan struct{}{worked, s.wire.written} {
		select {
		case <-c:
		case <-time.After(leaveGrace):
		}
	}
	if !errors.Is(s.wire.err, errEnded) && !isEnd(s.wire.err) {
		err = errors.Join(s.wire.err, err)
	}
	return err
}

// listen takes frames until the wire ends. It never waits for anything else.
func (s *server) listen(ctx context.Context, patience time.Duration) {
	dog := time.AfterFunc(patience, func() {
		s.wire.end(fmt.Errorf("nothing was heard of the controller for %s", patience))
	})
	defer dog.Stop()
	for {
		k, body, err := s.wire.receive()
		if err == nil {
			dog.Reset(patience)
			err = s.handle(ctx, k, body)
		}
		if err != nil {
			s.wire.end(err)
			return
		}
	}
}

func (s *server) handle(ctx context.Context, k kind, body []byte) error {
	switch k {
	case kindRequest:
		var m requestMsg
		if err := decode(body, &m); err != nil {
			return err
		}
		return s.enqueue(ctx, m)
	case kindCancel:
		var m idMsg
		if err := decode(body, &m); err != nil {
			return err
		}
		s.cancelJob(m.ID)
		return nil
	case kindStored:
		var m storedMsg
		if err := decode(body, &m); err != nil {
			return err
		}
		return s.stored(m)
	case kindChunk, kindCredit, kindStop:
		return s.streams.handle(k, body)
	case kindPing:
		return nil
	case kindShutdown:
		return errEnded
	}
	return fmt.Errorf("malformed frame: kind %d", k)
}

func (s *server) enqueue(ctx context.Context, m requestMsg) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) >= maxQueue {
		return fmt.Errorf("more than %d requests are waiting", maxQueue)
	}
	j := &job{msg: m}
	j.ctx, j.cancel = context.WithCancelCause(ctx)
	s.queue = append(s.queue, j)
	select {
	case s.more <- struct{}{}:
	default:
	}
	return nil
}

// cancelJob stops the running job; a waiting one is answered at once.
func (s *server) cancelJob(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && s.current.msg.ID == id {
		s.current.cancel(errCancelledByUser)
		return
	}
	for i, j := range s.queue {
		if j.msg.ID == id {
			s.queue = slices.Delete(s.queue, i, i+1)
			j.cancel(errCancelledByUser)
			go func() {
				_ = s.wire.send(context.Background(), kindReply, replyMsg{ID: id, Error: encodeError(errCancelledByUser)})
			}()
			return
		}
	}
}

func (s *server) next(ctx context.Context) *job {
	for {
		s.mu.Lock()
		s.current = nil
		if len(s.queue) > 0 {
			s.current, s.queue = s.queue[0], s.queue[1:]
		}
		j := s.current
		s.mu.Unlock()
		if j != nil {
			return j
		}
		select {
		case <-s.more:
		case <-ctx.Done():
			return nil
		}
	}
}

// work runs the requests one after the other, in the order they came.
func (s *server) work(ctx context.Context) {
	for ctx.Err() == nil {
		j := s.next(ctx)
		if j == nil {
			return
		}
		reply := s.do(j)
		j.cancel(nil)
		err := s.wire.send(ctx, kindReply, reply)
		var big *tooBigError
		if errors.As(err, &big) {
			msg := errorMsg{Msg: fmt.Sprintf("the task is done, but its result cannot be sent: %v", err)}
			err = s.wire.send(ctx, kindReply, replyMsg{ID: reply.ID, Result: modules.Result{Changed: reply.Result.Changed}, Error: &msg})
		}
		if err != nil {
			s.wire.end(err)
			return
		}
	}
}

func (s *server) do(j *job) replyMsg {
	output := func(string, []byte) {}
	if j.msg.Stream {
		output = func(stream string, data []byte) {
			for chunk := range slices.Chunk(data, chunkSize) {
				_ = s.wire.send(j.ctx, kindOutput, outputMsg{ID: j.msg.ID, Stream: stream, Data: chunk})
			}
		}
	}
	res, err := s.worker.run(j.ctx, j.msg, remoteBlobs{s}, output)
	reply := replyMsg{ID: j.msg.ID, Result: res}
	if err != nil {
		reply.Error = encodeError(err)
	}
	return reply
}
