package setup

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"time"
)

// system is what no file tells. Tests give their own.
type system interface {
	links() ([]link, error)
	space(dir string) (space, error)
	identity() (uid, gid, euid, egid int)
	processors() int // that this process may use
	now() time.Time
}

// native asks the machine this process runs on.
type native struct{}

func (native) links() ([]link, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the network interfaces: %w", err)
	}
	out := make([]link, 0, len(list))
	for _, i := range list {
		l := link{name: i.Name, flags: i.Flags, mtu: i.MTU, mac: i.HardwareAddr.String()}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("list the addresses of %s: %w", i.Name, err)
		}
		for _, a := range addrs {
			n, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			ip, ok := netip.AddrFromSlice(n.IP)
			if !ok {
				continue
			}
			ones, _ := n.Mask.Size()
			l.addrs = append(l.addrs, netip.PrefixFrom(ip.Unmap(), ones))
		}
		out = append(out, l)
	}
	return out, nil
}

func (native) identity() (uid, gid, euid, egid int) {
	return os.Getuid(), os.Getgid(), os.Geteuid(), os.Getegid()
}

func (native) processors() int { return runtime.NumCPU() }

func (native) now() time.Time { return time.Now() }
