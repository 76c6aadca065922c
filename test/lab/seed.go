package lab

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
)

// identity is what makes a copy of the base one particular host. It stays the
// same when the host is reset, as a reinstalled server's would not, so that
// known_hosts stays true.
type identity struct {
	Name       string             `json:"name"`
	MachineID  string             `json:"machine_id"`
	Addr       netip.Addr         `json:"addr"`
	Gateway    netip.Addr         `json:"gateway"`
	HostKeys   map[string]keyPair `json:"host_keys"`  // by sshd's file name
	Authorized string             `json:"authorized"` // the lab's public key
	Resolver   string             `json:"resolver"`   // resolv.conf
}

func newIdentity(name string, addr, gateway netip.Addr, authorized string) (identity, error) {
	id := identity{Name: name, Addr: addr, Gateway: gateway, Authorized: authorized}
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails
	id.MachineID = hex.EncodeToString(random)
	ed, err := newEd25519()
	if err != nil {
		return id, err
	}
	ec, err := newECDSA()
	if err != nil {
		return id, err
	}
	id.HostKeys = map[string]keyPair{"ssh_host_ed25519_key": ed, "ssh_host_ecdsa_key": ec}
	id.Resolver, err = readResolver()
	return id, err
}

// networkFile keeps the address when the cable is pulled, as the network
// scripts of a Debian server do.
const networkFile = `[Match]
Name=host0

[Network]
Address=%s/24
Gateway=%s
LinkLocalAddressing=no
IPv6AcceptRA=no
ConfigureWithoutCarrier=yes
IgnoreCarrierLoss=yes
`

// users are the accounts that accept the lab's key, with their homes.
var users = []struct {
	home string
	uid  int
}{{"/root", 0}, {"/home/" + User, 1000}, {"/home/" + PasswordUser, 1001}, {"/home/" + PlainUser, 1002}}

// seed writes the identity into a mounted, unstarted copy of the base.
func (id identity) seed(root string) error {
	type file struct {
		path, content string
		mode          os.FileMode
		uid           int
	}
	files := []file{
		{"/etc/hostname", id.Name + "\n", 0o644, 0},
		{"/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 " + id.Name + "\n", 0o644, 0},
		{"/etc/machine-id", id.MachineID + "\n", 0o444, 0},
		{"/etc/resolv.conf", id.Resolver, 0o644, 0},
		{"/etc/systemd/network/10-host0.network", fmt.Sprintf(networkFile, id.Addr, id.Gateway), 0o644, 0},
	}
	for name, key := range id.HostKeys {
		files = append(files,
			file{"/etc/ssh/" + name, string(key.Private), 0o600, 0},
			file{"/etc/ssh/" + name + ".pub", key.Public + " root@" + id.Name + "\n", 0o644, 0})
	}
	for _, user := range users {
		files = append(files, file{user.home + "/.ssh/authorized_keys", id.Authorized + "\n", 0o600, user.uid})
	}
	for _, f := range files {
		path := filepath.Join(root, f.path)
		if err := writeAtomic(path, []byte(f.content), f.mode); err != nil {
			return fmt.Errorf("prepare %s: %w", id.Name, err)
		}
		if err := os.Chown(path, f.uid, f.uid); err != nil {
			return fmt.Errorf("prepare %s: %w", id.Name, err)
		}
	}
	return nil
}
