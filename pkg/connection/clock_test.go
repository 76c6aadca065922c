package connection

import (
	"testing"
	"time"
)

// TestClockStops: the connect timeout does not run while a person types.
func TestClockStops(t *testing.T) {
	const timeout = 20 * time.Millisecond
	fired := make(chan struct{})
	var clock *time.Timer
	h := &hop{passphrase: func(string) (string, error) {
		select {
		case <-fired:
			t.Error("the timeout struck while the passphrase was typed")
		case <-time.After(5 * timeout):
		}
		return "sesame", nil
	}}
	clock = time.AfterFunc(timeout, func() { close(fired) })
	h.stopClockWhileAsking(clock, timeout)
	if got, err := h.passphrase("key"); got != "sesame" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	<-fired // and runs again afterwards
}
