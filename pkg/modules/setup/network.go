package setup

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
)

// link is a network interface with its addresses.
type link struct {
	name  string
	addrs []netip.Prefix
	flags net.Flags
	mtu   int
	mac   string
}

func (p *probe) network(context.Context) (map[string]any, error) {
	links, err := p.sys.links()
	if err != nil {
		return nil, err
	}
	names, all4, all6 := []any{}, []any{}, []any{}
	out := map[string]any{"default_ipv4": map[string]any{}, "default_ipv6": map[string]any{}}
	for _, l := range links {
		names = append(names, l.name)
		out[strings.ReplaceAll(l.name, "-", "_")] = p.describe(l)
		for _, a := range l.addrs {
			switch {
			case a.Addr().IsLoopback():
			case a.Addr().Is4():
				all4 = append(all4, a.Addr().String())
			default:
				all6 = append(all6, a.Addr().WithZone("").String())
			}
		}
	}
	out["interfaces"], out["all_ipv4_addresses"], out["all_ipv6_addresses"] = names, all4, all6
	p.default4(links, out)
	p.default6(links, out)
	return out, nil
}

// linkTypes are the words for the numbers of /sys/class/net/*/type, see
// linux/if_arp.h.
var linkTypes = map[string]string{"1": "ether", "32": "infiniband", "512": "ppp", "772": "loopback", "776": "tunnel", "65534": "tunnel"}

// describe makes the fact of one interface.
func (p *probe) describe(l link) map[string]any {
	dir := "/sys/class/net/" + l.name
	d := map[string]any{
		"device": l.name, "active": l.flags&net.FlagRunning != 0, "mtu": l.mtu, "type": p.linkType(dir),
		"promisc": p.hexFlags(dir)&0x100 != 0,
	}
	set(d, "macaddress", l.mac)
	if n, err := strconv.Atoi(p.text(dir + "/speed")); err == nil {
		d["speed"] = n
	}
	if fi, err := p.Lstat(dir + "/device/driver/module"); err == nil && fi.Target != "" {
		d["module"] = path.Base(fi.Target)
	}
	if list, err := p.ReadDir(dir + "/brif"); err == nil {
		members := []any{}
		for _, fi := range list {
			members = append(members, path.Base(fi.Path))
		}
		d["interfaces"], d["stp"], d["id"] = members, p.text(dir+"/bridge/stp_state") == "1", p.text(dir+"/bridge/bridge_id")
	}
	var more, six []any
	for _, a := range l.addrs {
		switch {
		case !a.Addr().Is4():
			six = append(six, map[string]any{"address": a.Addr().WithZone("").String(), "prefix": strconv.Itoa(a.Bits()), "scope": scope(a.Addr())})
		case d["ipv4"] == nil:
			d["ipv4"] = ipv4(a, l.flags)
		default:
			more = append(more, ipv4(a, l.flags))
		}
	}
	if more != nil {
		d["ipv4_secondaries"] = more
	}
	if six != nil {
		d["ipv6"] = six
	}
	return d
}

func (p *probe) linkType(dir string) string {
	switch {
	case p.exists(dir + "/bridge"):
		return "bridge"
	case p.exists(dir + "/bonding"):
		return "bonding"
	}
	if t, ok := linkTypes[p.text(dir+"/type")]; ok {
		return t
	}
	return "unknown"
}

func (p *probe) hexFlags(dir string) int64 {
	n, _ := strconv.ParseInt(p.text(dir+"/flags"), 0, 64)
	return n
}

func ipv4(a netip.Prefix, flags net.Flags) map[string]any {
	mask := net.CIDRMask(a.Bits(), 32)
	out := map[string]any{
		"address": a.Addr().String(), "prefix": strconv.Itoa(a.Bits()), "netmask": net.IP(mask).String(),
		"network": a.Masked().Addr().String(), "broadcast": "",
	}
	if flags&net.FlagBroadcast != 0 && a.Bits() < 31 {
		ip := a.Masked().Addr().As4()
		for i := range ip {
			ip[i] |= ^mask[i]
		}
		out["broadcast"] = netip.AddrFrom4(ip).String()
	}
	return out
}

func scope(a netip.Addr) string {
	switch {
	case a.IsLoopback():
		return "host"
	case a.IsLinkLocalUnicast():
		return "link"
	}
	return "global"
}

// default4 finds the interface and address of the default route in
// /proc/net/route: the one of least metric, and the address that shares the
// gateway's network.
func (p *probe) default4(links []link, out map[string]any) {
	best := -1
	for _, line := range p.lines("/proc/net/route") {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			continue
		}
		metric, err := strconv.Atoi(f[6])
		if err != nil || best >= 0 && metric >= best {
			continue
		}
		i := slices.IndexFunc(links, func(l link) bool { return l.name == f[0] })
		if i < 0 {
			continue
		}
		best = metric
		out["default_ipv4"] = p.default4Fact(links[i], littleEndian(f[2]))
	}
}

func (p *probe) default4Fact(l link, gateway netip.Addr) map[string]any {
	d := map[string]any{"interface": l.name, "mtu": l.mtu, "type": p.linkType("/sys/class/net/" + l.name), "alias": l.name}
	set(d, "macaddress", l.mac)
	if gateway.IsValid() && !gateway.IsUnspecified() {
		d["gateway"] = gateway.String()
	}
	chosen := false
	for _, a := range l.addrs {
		if a.Addr().Is4() && (!chosen || a.Contains(gateway)) {
			for k, v := range ipv4(a, l.flags) {
				d[k] = v
			}
			if chosen = true; a.Contains(gateway) {
				break
			}
		}
	}
	return d
}

// littleEndian reads an address of /proc/net/route, which the kernel writes as
// a number of the machine's byte order.
func littleEndian(s string) netip.Addr {
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		return netip.Addr{}
	}
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], uint32(n))
	return netip.AddrFrom4(b)
}

// default6 does the same with /proc/net/ipv6_route.
func (p *probe) default6(links []link, out map[string]any) {
	const nowhere = "00000000000000000000000000000000"
	best := int64(-1)
	for _, line := range p.lines("/proc/net/ipv6_route") {
		f := strings.Fields(line)
		if len(f) < 10 || f[0] != nowhere || f[1] != "00" || f[9] == "lo" {
			continue
		}
		metric, err := strconv.ParseInt(f[5], 16, 64)
		i := slices.IndexFunc(links, func(l link) bool { return l.name == f[9] })
		if err != nil || i < 0 || best >= 0 && metric >= best {
			continue
		}
		best = metric
		l := links[i]
		d := map[string]any{"interface": l.name, "mtu": l.mtu, "type": p.linkType("/sys/class/net/" + l.name)}
		set(d, "macaddress", l.mac)
		if raw, err := hex.DecodeString(f[4]); err == nil && f[4] != nowhere {
			if gw, ok := netip.AddrFromSlice(raw); ok {
				d["gateway"] = gw.String()
			}
		}
		for _, a := range l.addrs {
			if a.Addr().Is6() && scope(a.Addr()) == "global" {
				d["address"], d["prefix"], d["scope"] = a.Addr().String(), strconv.Itoa(a.Bits()), "global"
				break
			}
		}
		out["default_ipv6"] = d
	}
}
