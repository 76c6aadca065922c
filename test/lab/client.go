package lab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// Client is an outside machine on the lab's network, in a network namespace of
// its own: it reaches what the hosts let anybody reach, and nothing by virtue
// of running beside them.
type Client struct {
	Addr  string // IP address
	netns string
}

// Exec runs one of the machine's commands in the client's network and returns
// its standard output. A command that fails is an *ExecError.
func (c *Client) Exec(ctx context.Context, argv ...string) (string, error) {
	cmd := command(ctx, "ip", append([]string{"netns", "exec", c.netns}, argv...)...)
	return collect(ctx, cmd, argv)
}

// DialContext connects from the client, like net.Dialer's. The address must
// be an IP address and a port. It serves as an http.Transport's DialContext.
func (c *Client) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	// A name would be looked up by other threads, outside the namespace.
	if _, err := netip.ParseAddrPort(address); err != nil {
		return nil, fmt.Errorf("dial from the lab's client: give an IP address and a port: %w", err)
	}
	var conn net.Conn
	err := inNetns(netnsPath(c.netns), func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	if err != nil && conn != nil {
		_ = conn.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("dial from the lab's client: %w", err)
	}
	return conn, nil
}
