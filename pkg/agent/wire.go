package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// protocolVersion changes whenever the frames do. Both halves are normally the
// same program; the check catches an agent that was built from another one.
const protocolVersion = 1

// maxFrame bounds one frame, in bytes. Content of files never comes near it:
// it travels in chunks.
const maxFrame = 64 << 20

// errEnded is the end of a wire on our own wish.
var errEnded = errors.New("the conversation is over")

// tooBigError is a message that no frame may hold; the other side has not seen
// anything of it.
type tooBigError struct{ size int }

func (e *tooBigError) Error() string {
	return fmt.Sprintf("it is %d MiB, more than the %d MiB that fit into one message", e.size>>20, maxFrame>>20)
}

// wire is one end of a conversation in frames: four bytes of length
// (big-endian, of the rest), one byte of kind, a CBOR body.
//
// Writing is done by a goroutine of its own, so that a sender can give up when
// the other side does not read.
type wire struct {
	in  *bufio.Reader
	out chan []byte

	once    sync.Once
	ended   chan struct{}
	err     error
	written chan struct{} // closed when the writer has stopped
}

func newWire(in *bufio.Reader, out io.Writer) *wire {
	w := &wire{in: in, out: make(chan []byte), ended: make(chan struct{}), written: make(chan struct{})}
	go w.write(bufio.NewWriterSize(out, 64<<10))
	return w
}

// end stops the conversation; the first reason stays.
func (w *wire) end(err error) {
	w.once.Do(func() {
		w.err = err
		close(w.ended)
	})
}

// write sends frames, several at a time when they come fast.
func (w *wire) write(out *bufio.Writer) {
	defer close(w.written)
	for {
		var frame []byte
		select {
		case frame = <-w.out:
		case <-w.ended:
			return
		}
		for frame != nil {
			if _, err := out.Write(frame); err != nil {
				w.end(fmt.Errorf("send: %w", err))
				return
			}
			select {
			case frame = <-w.out:
			default:
				frame = nil
			}
		}
		if err := out.Flush(); err != nil {
			w.end(fmt.Errorf("send: %w", err))
			return
		}
	}
}

// send hands a message to the writer. It fails with *tooBigError, ctx's error,
// or the reason why the conversation ended.
func (w *wire) send(ctx context.Context, k kind, body any) error {
	frame, err := encodeFrame(k, body)
	if err != nil {
		return err
	}
	select {
	case w.out <- frame:
		return nil
	case <-w.ended:
		return w.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func encodeFrame(k kind, body any) ([]byte, error) {
	buf := bytes.NewBuffer(make([]byte, 5, 256))
	if err := encoding.NewEncoder(buf).Encode(body); err != nil {
		return nil, fmt.Errorf("encode a message: %w", err)
	}
	frame := buf.Bytes()
	if len(frame)-4 > maxFrame {
		return nil, &tooBigError{len(frame)}
	}
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	frame[4] = byte(k)
	return frame, nil
}

// receive reads one frame. io.EOF means that the other side is gone. Memory
// grows only with what really arrives.
func (w *wire) receive() (kind, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(w.in, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[:4])
	if size < 1 || size > maxFrame {
		return 0, nil, fmt.Errorf("malformed frame: its length is %d", size)
	}
	var buf bytes.Buffer
	n, err := io.CopyN(&buf, w.in, int64(size)-1)
	if err != nil {
		return 0, nil, fmt.Errorf("%w after %d of %d bytes: %w", errCut, n, size-1, err)
	}
	return kind(head[4]), buf.Bytes(), nil
}

// isEnd reports whether err is the clean end of what the other side says, as
// opposed to an end within a frame.
func isEnd(err error) bool { return errors.Is(err, io.EOF) && !errors.Is(err, errCut) }

// errCut is an end within a frame.
var errCut = errors.New("frame cut off")
