package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// remoteBlobs is the controller's content, seen from the agent.
type remoteBlobs struct{ s *server }

var _ host.Blobs = remoteBlobs{}

// Open asks the controller for the content and gives it as it arrives.
func (b remoteBlobs) Open(ctx context.Context, blob host.Blob) (io.ReadCloser, error) {
	id := b.s.streams.next()
	in, err := b.s.streams.expect(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := b.s.wire.send(ctx, kindNeed, needMsg{ID: id, Blob: blob}); err != nil {
		in.forget()
		return nil, err
	}
	return &verified{ReadCloser: in, want: blob, hash: sha256.New()}, nil
}

// verified is content that must turn out to be the blob it is said to be.
type verified struct {
	io.ReadCloser
	want host.Blob
	hash hash.Hash
	size int64
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.hash.Write(p[:n])
	v.size += int64(n)
	if v.size >= v.want.Size || err == io.EOF {
		got := host.Blob{SHA256: hex.EncodeToString(v.hash.Sum(nil)), Size: v.size}
		if got != v.want {
			return 0, fmt.Errorf("content with sha256 %s (%d bytes) was asked for, and %s (%d bytes) came: the file was changed during the run",
				v.want.SHA256, v.want.Size, got.SHA256, got.Size)
		}
	}
	return n, err
}

// Put streams r to the controller, which keeps it until its run ends.
func (b remoteBlobs) Put(ctx context.Context, r io.Reader) (host.Blob, error) {
	id := b.s.streams.next()
	answer := make(chan storedMsg, 1)
	b.s.mu.Lock()
	b.s.offers[id] = answer
	b.s.mu.Unlock()
	defer func() {
		b.s.mu.Lock()
		delete(b.s.offers, id)
		b.s.mu.Unlock()
	}()
	out, err := b.s.streams.leave(ctx, id)
	if err != nil {
		return host.Blob{}, err
	}
	if err := b.s.wire.send(ctx, kindOffer, idMsg{id}); err != nil {
		out.close()
		return host.Blob{}, err
	}
	h := sha256.New()
	count := &counter{}
	err = out.pour(io.TeeReader(r, io.MultiWriter(h, count)))
	if err != nil && !errors.Is(err, errStopped) {
		return host.Blob{}, err
	}
	select {
	case m := <-answer: // also says why it stopped
		if m.Err != "" {
			return host.Blob{}, errors.New("store it on the controller: " + m.Err)
		}
		if sent := (host.Blob{SHA256: hex.EncodeToString(h.Sum(nil)), Size: count.n}); sent != m.Blob {
			return host.Blob{}, fmt.Errorf("the controller received %s (%d bytes) where %s (%d bytes) was sent", m.Blob.SHA256, m.Blob.Size, sent.SHA256, sent.Size)
		}
		return m.Blob, nil
	case <-ctx.Done():
		return host.Blob{}, context.Cause(ctx)
	case <-b.s.wire.ended:
		return host.Blob{}, b.s.wire.err
	}
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// stored takes the controller's word about an offered stream.
func (s *server) stored(m storedMsg) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := s.offers[m.ID]
	delete(s.offers, m.ID)
	if answer != nil {
		answer <- m
	}
	return nil
}
