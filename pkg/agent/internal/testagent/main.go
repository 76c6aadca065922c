// Command testagent is an agent with the modules of package testmodules. Started
// as "testagent find GOOS GOARCH" it prints which program it would ship.
package main

import (
	"fmt"
	"os"

	"github.com/foobar-play/foobar-play/pkg/agent"
	"github.com/foobar-play/foobar-play/pkg/agent/internal/testmodules"
)

func main() {
	agent.Main(testmodules.Registry())
	if len(os.Args) == 4 && os.Args[1] == "find" {
		path, err := agent.SelfBinary("")(os.Args[2], os.Args[3])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(path)
		return
	}
	fmt.Fprintln(os.Stderr, "testagent is started by the tests of pkg/agent only")
	os.Exit(64)
}
