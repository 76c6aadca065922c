package lab_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/test/lab"
)

// A test gets its servers from ForTest, which skips it where no lab can run.
func ExampleForTest() {
	_ = func(t *testing.T) {
		l := lab.ForTest(t, lab.Config{Hosts: []string{"lb01", "web01", "web02"}})
		inventory, err := l.Inventory()
		if err != nil {
			t.Fatal(err)
		}
		// … run foobar-play with the inventory and l.KnownHosts(), then look:
		state, err := l.Host("web01").Exec(t.Context(), "systemctl", "is-active", "nginx")
		t.Log(inventory, state, err)
	}
}

// A host far away: everything to and from its sshd takes 50 ms.
func ExampleHost_Relay() {
	_ = func(l *lab.Lab) error {
		relay, err := l.Host("web01").Relay(50 * time.Millisecond)
		if err != nil {
			return err
		}
		inventory, err := l.InventoryVia(relay)
		fmt.Println(inventory)
		return err
	}
}

// States save time: converge once, then start each test from there.
func ExampleLab_Restore() {
	_ = func(ctx context.Context, l *lab.Lab, converge, test func()) error {
		converge()
		if err := l.Snapshot(ctx, "converged"); err != nil {
			return err
		}
		test()
		return l.Restore(ctx, "converged")
	}
}
