package lab

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// echo is a server that sends everything back.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

func newRelay(t *testing.T, latency time.Duration) (*Relay, net.Conn) {
	t.Helper()
	relay, err := NewRelay(echo(t), latency)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = relay.Close() })
	conn, err := net.Dial("tcp", relay.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	return relay, conn
}

// roundTrip sends a byte and waits until it comes back.
func roundTrip(t *testing.T, conn net.Conn) time.Duration {
	t.Helper()
	started := time.Now()
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return time.Since(started)
}

func TestRelayLatency(t *testing.T) {
	t.Parallel()
	const latency = 40 * time.Millisecond
	relay, conn := newRelay(t, latency)
	if first := roundTrip(t, conn); first < 4*latency {
		t.Errorf("connection and round trip took %s, want at least %s", first, 4*latency)
	}
	if trip := roundTrip(t, conn); trip < 2*latency {
		t.Errorf("a round trip took %s, want at least %s", trip, 2*latency)
	}
	relay.SetLatency(0)
	if trip := roundTrip(t, conn); trip >= 2*latency {
		t.Errorf("a round trip without latency took %s", trip)
	}
	if relay.Connections() != 1 {
		t.Errorf("%d connections counted, want 1", relay.Connections())
	}
}

// TestRelayThroughput: latency must delay a stream once, not once per packet.
func TestRelayThroughput(t *testing.T) {
	t.Parallel()
	_, conn := newRelay(t, 20*time.Millisecond)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	started := time.Now()
	go func() {
		_, _ = conn.Write(sent)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d of %d bytes came back, %v", len(got), len(sent), err)
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("4 MiB took %s", took)
	}
}

func TestRelayStallAndDrop(t *testing.T) {
	t.Parallel()
	relay, conn := newRelay(t, 0)
	roundTrip(t, conn)
	relay.Stall()
	if _, err := conn.Write([]byte("y")); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	_, err := conn.Read(make([]byte, 1))
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
		t.Errorf("reading from a stalled relay: %v, want a timeout", err)
	}
	relay.Resume()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Errorf("what was held did not arrive: %v", err)
	}
	relay.Drop()
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("reading from a dropped connection: %v, want a reset", err)
	}
}
