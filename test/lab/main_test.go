package lab

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// childEnv makes the test program start a lab of that name and wait to be
// killed, instead of running tests.
const childEnv = "FOOBAR_PLAY_LAB_TEST_CHILD"

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if _, err := Start(context.Background(), Config{Name: name, Hosts: []string{"one", "two"}}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ready")
		select {}
	}
	os.Exit(m.Run())
}

// limited is the test's context with a deadline that only a hang reaches.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// mustExec runs a command on a host and returns what it printed.
func mustExec(t *testing.T, h *Host, argv ...string) string {
	t.Helper()
	out, err := h.Exec(limited(t), argv...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// unique makes a lab's name that no other test run uses.
func unique(name string) string { return fmt.Sprintf("%s-%d", name, os.Getpid()) }
