package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// benchmarkNet is set aside for tests of network devices (RFC 2544): no
// network that the machine is part of uses it.
var benchmarkNet = netip.MustParsePrefix("198.18.0.0/15")

// freeSubnet chooses a /24 that no lab and no interface uses. The caller
// holds the labs' lock.
func freeSubnet(others []record) (netip.Prefix, error) {
	used := map[netip.Prefix]bool{}
	for _, other := range others {
		used[other.Subnet] = true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("list the machine's addresses: %w", err)
	}
	for _, addr := range addrs {
		if prefix, err := netip.ParsePrefix(addr.String()); err == nil {
			used[netip.PrefixFrom(prefix.Addr(), 24).Masked()] = true
		}
	}
	for i := range 512 {
		subnet := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, byte(18 + i/256), byte(i), 0}), 24)
		if !used[subnet] {
			return subnet, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("choose a network: all of %s is in use", benchmarkNet)
}

// network makes the lab's bridge, outside client and firewall rules. A packet
// leaves the lab with the machine's address. Nothing is undone on error: the
// caller removes the lab.
func (r record) network(ctx context.Context) error {
	mac := "02:fb:" + strings.Join([]string{r.ID[0:2], r.ID[2:4], "0" + r.ID[4:5], "01"}, ":")
	client, gateway := r.clientAddr().String()+"/24", r.gateway().String()
	steps := [][]string{
		// A fixed address: otherwise it changes as hosts come and go.
		{"ip", "link", "add", r.bridge(), "address", mac, "type", "bridge"},
		{"ip", "addr", "add", gateway + "/24", "dev", r.bridge()},
		{"ip", "link", "set", r.bridge(), "up"},
		{"ip", "netns", "add", r.netns()},
		{"ip", "link", "add", r.clientLink(), "type", "veth", "peer", "name", "eth0", "netns", r.netns()},
		{"ip", "link", "set", r.clientLink(), "master", r.bridge(), "up"},
		{"ip", "-n", r.netns(), "addr", "add", client, "dev", "eth0"},
		{"ip", "-n", r.netns(), "link", "set", "lo", "up"},
		{"ip", "-n", r.netns(), "link", "set", "eth0", "up"},
		{"ip", "-n", r.netns(), "route", "add", "default", "via", gateway},
	}
	for _, rule := range r.rules() {
		steps = append(steps, append([]string{"iptables", "-w", "-t", rule[0], "-I"}, rule[1:]...))
	}
	for _, step := range steps {
		if _, err := run(ctx, step...); err != nil {
			return fmt.Errorf("set up the lab's network: %w", err)
		}
	}
	return forwardPackets(ctx, r)
}

// rules are the lab's firewall rules: table, chain, match and target. The
// accepting ones matter where the machine's policy is to drop.
func (r record) rules() [][]string {
	tag := []string{"-m", "comment", "--comment", r.tag()}
	subnet := r.Subnet.String()
	rules := [][]string{
		{"nat", "POSTROUTING", "-s", subnet, "!", "-d", subnet, "-j", "MASQUERADE"},
		{"filter", "FORWARD", "-i", r.bridge(), "-j", "ACCEPT"},
		{"filter", "FORWARD", "-o", r.bridge(), "-j", "ACCEPT"},
	}
	for i, rule := range rules {
		rules[i] = append(slices.Clone(rule), tag...)
	}
	return rules
}

// removeNetwork takes down what network made, as far as it is there.
func (r record) removeNetwork(ctx context.Context) error {
	var errs []error
	for _, name := range []string{r.clientLink(), r.bridge()} {
		if _, err := net.InterfaceByName(name); err == nil {
			_, err = run(ctx, "ip", "link", "del", name)
			errs = append(errs, err)
		}
	}
	if _, err := os.Stat(netnsPath(r.netns())); err == nil {
		_, err = run(ctx, "ip", "netns", "del", r.netns())
		errs = append(errs, err)
	}
	for _, chain := range [][2]string{{"nat", "POSTROUTING"}, {"filter", "FORWARD"}} {
		rules, err := run(ctx, "iptables", "-w", "-t", chain[0], "-S", chain[1])
		errs = append(errs, err)
		for line := range strings.Lines(rules) {
			rule := strings.Fields(strings.ReplaceAll(line, `"`, ""))
			if slices.Contains(rule, r.tag()) && rule[0] == "-A" {
				_, err := run(ctx, append([]string{"iptables", "-w", "-t", chain[0], "-D"}, rule[1:]...)...)
				errs = append(errs, err)
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("take down the lab's network: %w", err)
	}
	return nil
}

func netnsPath(name string) string { return filepath.Join("/run/netns", name) }

const forwardSwitch = "/proc/sys/net/ipv4/ip_forward"

// forwardPackets has the machine route for the lab and remembers to stop that
// after the last lab, if it did not route before.
func forwardPackets(ctx context.Context, r record) error {
	unlock, err := lockLabs(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	now, err := os.ReadFile(forwardSwitch)
	if err != nil {
		return fmt.Errorf("look whether the machine forwards packets: %w", err)
	}
	if strings.TrimSpace(string(now)) == "1" {
		return nil
	}
	if err := writeAtomic(filepath.Join(runDir, "forwarding-by-"+r.BootID), nil, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(forwardSwitch, []byte("1"), 0); err != nil {
		return fmt.Errorf("have the machine forward packets: %w", err)
	}
	return nil
}

// restoreForwarding undoes forwardPackets once no lab is left. The caller
// holds the labs' lock.
func restoreForwarding() error {
	if len(readRecords()) > 0 {
		return nil
	}
	marker := filepath.Join(runDir, "forwarding-by-"+bootID())
	if _, err := os.Stat(marker); err != nil {
		return nil
	}
	if err := os.WriteFile(forwardSwitch, []byte("0"), 0); err != nil {
		return fmt.Errorf("stop forwarding packets: %w", err)
	}
	if err := os.Remove(marker); err != nil {
		return fmt.Errorf("stop forwarding packets: %w", err)
	}
	return nil
}
