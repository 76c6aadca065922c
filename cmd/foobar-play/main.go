// Command foobar-play runs playbooks: flags become a runner.Request, events
// become text or JSON lines, the recap becomes the exit code. Everything else
// is in pkg/runner.
package main

import (
	"os"

	"github.com/foobar-play/foobar-play/pkg/agent"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/std"
)

// version is set by the linker in releases.
var version = "dev"

func main() {
	agent.Main(registry())
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// registry is what the agent half of this program can do on a host.
func registry() *modules.Registry {
	reg, err := modules.NewRegistry(std.All()...)
	if err != nil {
		panic(err)
	}
	return reg
}
