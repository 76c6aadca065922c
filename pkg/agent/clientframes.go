package agent

import (
	"fmt"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// listen takes frames until the conversation ends.
func (c *Client) listen() {
	for {
		k, body, err := c.wire.receive()
		if err == nil {
			err = c.handle(k, body)
		}
		if err != nil {
			c.wire.end(err)
			return
		}
	}
}

func (c *Client) handle(k kind, body []byte) error {
	switch k {
	case kindReply:
		var m replyMsg
		if err := decode(body, &m); err != nil {
			return err
		}
		if cl := c.call(m.ID); cl != nil {
			select {
			case cl.reply <- m:
			default:
				return fmt.Errorf("request %d was answered twice", m.ID)
			}
		}
		return nil
	case kindOutput:
		var m outputMsg
		if err := decode(body, &m); err != nil {
			return err
		}
		if cl := c.call(m.ID); cl != nil && cl.onOutput != nil {
			cl.onOutput(m.Stream, m.Data)
		}
		return nil
	case kindNeed:
		var m needMsg
		if err := decode(body, &m); err != nil {
			return err
		}
		out, err := c.streams.leave(c.ctx, m.ID)
		if err != nil {
			return err
		}
		c.wg.Go(func() { c.give(out, m.Blob) })
		return nil
	case kindOffer:
		var m idMsg
		if err := decode(body, &m); err != nil {
			return err
		}
		return c.accept(m.ID)
	case kindChunk, kindCredit, kindStop:
		return c.streams.handle(k, body)
	}
	return fmt.Errorf("malformed frame: kind %d", k)
}

func (c *Client) call(id uint64) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[id]
}

// give streams a blob to the host.
func (c *Client) give(out *outflow, b host.Blob) {
	r, err := c.store.Open(c.ctx, b)
	if err != nil {
		defer out.close()
		_ = out.send(chunkMsg{ID: out.id, End: true, Err: err.Error()})
		return
	}
	defer r.Close()
	if err := out.pour(r); err != nil {
		c.log.Debug().Str("host", c.host).Err(err).Msg("blob not sent to its end")
	}
}

// accept stores what the host hands over.
func (c *Client) accept(id uint64) error {
	in, err := c.streams.expect(c.ctx, id)
	if err != nil {
		return err
	}
	c.wg.Go(func() {
		defer in.Close()
		m := storedMsg{ID: id}
		if m.Blob, err = c.store.Put(c.ctx, in); err != nil {
			m.Err = err.Error()
		}
		_ = c.wire.send(c.ctx, kindStored, m)
	})
	return nil
}

// ping shows the agent that we live; see silence.
func (c *Client) ping() {
	tick := time.NewTicker(pingInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = c.wire.send(c.ctx, kindPing, idMsg{})
		case <-c.wire.ended:
			return
		}
	}
}
