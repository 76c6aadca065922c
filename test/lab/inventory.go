package lab

import (
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// KeyFile is the private key that User, PasswordUser, PlainUser and root
// accept on all hosts. The file is removed with the lab.
func (l *Lab) KeyFile() string { return filepath.Join(l.record.dir(), "id_ed25519") }

// KnownHosts is a known_hosts file with all hosts' keys, and those of relays
// made by Host.Relay, for strict checking. It is removed with the lab.
func (l *Lab) KnownHosts() string { return filepath.Join(l.record.dir(), "known_hosts") }

// writeKnownHosts writes the file, with the relays that exist now. The caller
// holds l.relaysMu.
func (l *Lab) writeKnownHosts() error {
	var lines strings.Builder
	for _, h := range l.hosts {
		names := h.Addr
		for _, relay := range l.relays {
			if relay.host == h {
				addr, port, _ := net.SplitHostPort(relay.Addr())
				names += fmt.Sprintf(",[%s]:%s", addr, port)
			}
		}
		for _, file := range slices.Sorted(maps.Keys(h.identity.HostKeys)) {
			fmt.Fprintf(&lines, "%s %s\n", names, h.identity.HostKeys[file].Public)
		}
	}
	return writeAtomic(l.KnownHosts(), []byte(lines.String()), 0o600)
}

// Inventory writes a YAML inventory of the lab and returns its path. It names
// the hosts, User and KeyFile; the known_hosts file is given separately. The
// file is removed with the lab.
func (l *Lab) Inventory() (string, error) { return l.InventoryVia() }

// InventoryVia is Inventory, except that the hosts of the given relays, as
// made by Host.Relay, are reached through them.
func (l *Lab) InventoryVia(relays ...*Relay) (string, error) {
	name := "inventory"
	if len(relays) > 0 {
		name += "-via-" + strconv.Itoa(relays[0].Port())
	}
	path := filepath.Join(l.record.dir(), name+".yml")
	return path, writeAtomic(path, []byte(l.inventoryText(relays...)), 0o644)
}

func (l *Lab) inventoryText(relays ...*Relay) string {
	var b strings.Builder
	b.WriteString("all:\n  vars:\n")
	fmt.Fprintf(&b, "    ansible_user: %s\n    ansible_ssh_private_key_file: %s\n  hosts:\n", User, l.KeyFile())
	for _, h := range l.hosts {
		addr, port := h.Addr, ""
		for _, relay := range relays {
			if relay.host == h {
				addr, port, _ = net.SplitHostPort(relay.Addr())
			}
		}
		fmt.Fprintf(&b, "    %s:\n      ansible_host: %s\n", h.Name, addr)
		if port != "" {
			fmt.Fprintf(&b, "      ansible_port: %s\n", port)
		}
	}
	if len(l.record.Groups) > 0 {
		b.WriteString("  children:\n")
	}
	for _, group := range slices.Sorted(maps.Keys(l.record.Groups)) {
		fmt.Fprintf(&b, "    %s:\n      hosts:\n", group)
		for _, name := range l.record.Groups[group] {
			fmt.Fprintf(&b, "        %s:\n", name)
		}
	}
	return b.String()
}

// SSHArgs are arguments for OpenSSH's ssh that log in to the host as User,
// checking its key; a command may follow.
func (h *Host) SSHArgs() []string {
	return []string{
		"-F", "none", "-i", h.lab.KeyFile(), "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes",
		"-o", "UserKnownHostsFile=" + h.lab.KnownHosts(), "-o", "GlobalKnownHostsFile=none", User + "@" + h.Addr,
	}
}

// Relay makes a relay to the host's sshd and adds it to KnownHosts. Closing
// it is the caller's business; Lab.Close does it too.
func (h *Host) Relay(latency time.Duration) (*Relay, error) {
	relay, err := NewRelay(net.JoinHostPort(h.Addr, "22"), latency)
	if err != nil {
		return nil, err
	}
	relay.host = h
	h.lab.relaysMu.Lock()
	defer h.lab.relaysMu.Unlock()
	h.lab.relays = append(h.lab.relays, relay)
	return relay, h.lab.writeKnownHosts()
}

// closeRelays closes what Host.Relay made.
func (l *Lab) closeRelays() error {
	l.relaysMu.Lock()
	defer l.relaysMu.Unlock()
	return each(l.relays, (*Relay).Close)
}
