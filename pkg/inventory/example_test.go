package inventory_test

import (
	"context"
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/inventory"
)

// A list of hosts on the command line is an inventory, too.
func ExampleLoad() {
	inv, diags := inventory.Load(context.Background(), []string{"web[01:03],db01,"}, inventory.Options{})
	if diags.HasErrors() {
		fmt.Println(diags.Err())
		return
	}
	inv.AddToGroup("web02", "canary", nil)
	hosts, err := inv.Match("web*:!canary")
	fmt.Println(hosts, err)
	_, err = inv.Match("web0l")
	fmt.Println(err)
	// Output:
	// [web01 web03] <nil>
	// host pattern "web0l": there is no host or group "web0l" (did you mean "web01" or "web02" or "web03"?)
}
