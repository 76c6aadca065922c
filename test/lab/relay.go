package lab

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Relay passes TCP connections on to a target, as slowly and as unreliably as
// asked. It stands in for a network with latency, which not every kernel can
// imitate. It listens on loopback.
type Relay struct {
	target   string
	listener net.Listener
	host     *Host // nil unless made by Host.Relay
	work     sync.WaitGroup

	mu          sync.Mutex
	changed     *sync.Cond // on latency, stalled and closed
	latency     time.Duration
	stalled     bool
	closed      bool
	open        map[net.Conn]bool
	connections int
}

// NewRelay listens on a loopback port of its own choice and passes what it
// gets on to target, an address with a port, and back. Every byte takes
// latency each way, and a connection two latencies to come about, as TCP's
// would. Throughput is not limited. Close it when done.
func NewRelay(target string, latency time.Duration) (*Relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for a relay: %w", err)
	}
	r := &Relay{target: target, listener: listener, latency: latency, open: map[net.Conn]bool{}}
	r.changed = sync.NewCond(&r.mu)
	r.work.Go(r.accept)
	return r, nil
}

// Addr is the relay's address and port.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// Port is the relay's port.
func (r *Relay) Port() int { return r.listener.Addr().(*net.TCPAddr).Port }

// Connections counts the connections made so far.
func (r *Relay) Connections() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.connections
}

// SetLatency changes the latency of bytes that arrive from now on.
func (r *Relay) SetLatency(latency time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latency = latency
}

// Stall holds all bytes, both ways, until Resume: connections stay open and
// silent, and new ones are accepted but lead nowhere.
func (r *Relay) Stall() { r.set(func() { r.stalled = true }) }

// Resume undoes Stall; what was held arrives.
func (r *Relay) Resume() { r.set(func() { r.stalled = false }) }

func (r *Relay) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	r.changed.Broadcast()
}

// Drop resets all connections at once. New ones are served as before.
func (r *Relay) Drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
}

func (r *Relay) drop() {
	for conn := range r.open {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset instead of an orderly end
		}
		_ = conn.Close()
	}
}

// Close stops listening, resets all connections and waits for the relay's
// goroutines.
func (r *Relay) Close() error {
	err := r.listener.Close()
	r.set(func() { r.closed = true; r.drop() })
	r.work.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the relay: %w", err)
	}
	return nil
}

func (r *Relay) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.work.Go(func() { r.serve(conn) })
	}
}

// track notes an open connection; it says no once the relay is closed.
func (r *Relay) track(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.open[conn] = true
	return true
}

func (r *Relay) untrack(conn net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, conn)
}

// serve passes one connection on until both sides have ended it.
func (r *Relay) serve(near net.Conn) {
	defer near.Close()
	if !r.track(near) {
		return
	}
	defer r.untrack(near)
	r.mu.Lock()
	r.connections++
	arrival := time.Now().Add(2 * r.latency)
	r.mu.Unlock()
	if !r.wait(arrival) {
		return
	}
	far, err := net.DialTimeout("tcp", r.target, 30*time.Second)
	if err != nil {
		return
	}
	defer far.Close()
	if !r.track(far) {
		return
	}
	defer r.untrack(far)
	var both sync.WaitGroup
	both.Go(func() { r.pass(near, far) })
	both.Go(func() { r.pass(far, near) })
	both.Wait()
}

// wait returns at the given time or later, when nothing stalls. It returns
// false as soon as the relay is closed.
func (r *Relay) wait(until time.Time) bool {
	timer := time.AfterFunc(time.Until(until), func() { r.set(func() {}) })
	defer timer.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.closed && (r.stalled || time.Now().Before(until)) {
		r.changed.Wait()
	}
	return !r.closed
}

// parcel is bytes under way; nil bytes are the end of the stream.
type parcel struct {
	bytes   []byte
	arrival time.Time
}

// pass carries one direction. Reading goes on while earlier bytes are under
// way, so latency does not limit throughput.
func (r *Relay) pass(from, to net.Conn) {
	const underWay = 4096 // parcels; more make the sender wait
	queue := make(chan parcel, underWay)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(queue)
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			r.mu.Lock()
			arrival := time.Now().Add(r.latency)
			r.mu.Unlock()
			if n > 0 {
				queue <- parcel{bytes.Clone(buffer[:n]), arrival}
			}
			if err != nil {
				queue <- parcel{nil, arrival}
				return
			}
		}
	})
	failed := false
	for p := range queue {
		if failed || !r.wait(p.arrival) {
			failed = true // go on emptying the queue, so that the reader ends
			continue
		}
		if p.bytes == nil {
			if tcp, ok := to.(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
			continue
		}
		if _, err := to.Write(p.bytes); err != nil {
			failed = true
			_ = from.Close()
		}
	}
	reader.Wait()
}
