// Command testagent is an agent with the modules of package testmodules.
package main

import (
	"fmt"
	"os"

	"github.com/foobar-play/foobar-play/pkg/agent"
	"github.com/foobar-play/foobar-play/pkg/agent/internal/testmodules"
)

func main() {
	agent.Main(testmodules.Registry())
	fmt.Fprintln(os.Stderr, "testagent is started by the tests of pkg/agent only")
	os.Exit(64)
}
