package ufw

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// portProto is one entry of an application profile.
type portProto struct{ port, proto string }

// names are what the host knows by name: the application profiles and services
// that were looked up.
type names struct {
	profiles map[string]profile
	services map[string]portProto
}

// profile is an application profile under its exact name.
type profile struct {
	name  string
	ports []portProto
}

// missingName is an application profile or service the host does not know, or
// that was not looked up yet.
type missingName struct{ what, name string }

func (e *missingName) Error() string {
	return fmt.Sprintf("there is no %s %q on the host", e.what, e.name)
}

// wanted gives the rules a task means, IPv4 before IPv6. The rules of ufw's
// parser hold: two addresses of a kind decide it, no address means both.
func (o *ruleOptions) wanted(n names) ([]rule, error) {
	base := rule{action: o.Rule, route: o.Route, dir: "in", in: o.InterfaceIn, out: o.InterfaceOut,
		proto: or(o.Proto, "any"), sport: "any", dport: "any"}
	if o.Log {
		base.log = "log"
	}
	if o.Comment != nil {
		base.comment = *o.Comment
	}
	o.direct(&base)
	if err := o.setPorts(&base, n); err != nil {
		return nil, err
	}
	v4, v6, err := o.versions(base.proto)
	if err != nil {
		return nil, err
	}
	ends := []rule{base}
	if o.Name != "" {
		if ends, err = profileRules(base, o.Name, n); err != nil {
			return nil, err
		}
	}
	var out []rule
	for _, v := range []bool{false, true} {
		if (v && !v6) || (!v && !v4) {
			continue
		}
		for _, r := range ends {
			r.v6 = v
			if r.src, err = address(o.FromIP, v); err != nil {
				return nil, fmt.Errorf("from_ip: %w", err)
			}
			if r.dst, err = address(o.ToIP, v); err != nil {
				return nil, fmt.Errorf("to_ip: %w", err)
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// direct sets direction and interfaces.
func (o *ruleOptions) direct(r *rule) {
	if o.Direction == "out" {
		r.dir = "out"
	}
	if o.Interface != "" && r.dir == "out" {
		r.out = o.Interface
	} else if o.Interface != "" {
		r.in = o.Interface
	}
	if r.out != "" && r.in == "" {
		r.dir = "out"
	}
}

// setPorts reads both port options; a service's protocol becomes the rule's.
func (o *ruleOptions) setPorts(r *rule, n names) error {
	for _, p := range []struct {
		option, text string
		dst          *string
	}{{"to_port", o.ToPort, &r.dport}, {"from_port", o.FromPort, &r.sport}} {
		if p.text == "" || p.text == "any" {
			continue
		}
		port, proto, err := readPort(p.text, n)
		if err != nil {
			return fmt.Errorf("%s: %w", p.option, err)
		}
		switch {
		case proto == "any" || proto == r.proto:
		case r.proto == "any":
			r.proto = proto
		default:
			return fmt.Errorf("%s: service %s is %s, not %s", p.option, p.text, proto, r.proto)
		}
		if strings.ContainsAny(port, ",:") && r.proto != "tcp" && r.proto != "udp" {
			return fmt.Errorf("%s: several ports need proto: tcp or udp", p.option)
		}
		*p.dst = port
	}
	if slices.Contains([]string{"ipv6", "esp", "ah", "igmp", "gre", "vrrp"}, r.proto) && (r.sport != "any" || r.dport != "any") {
		return fmt.Errorf("protocol %s has no ports", r.proto)
	}
	return nil
}

// readPort gives a port, range, list or service in ufw's notation. The
// protocol is "any" unless a service fixes it.
func readPort(text string, n names) (port, proto string, err error) {
	if isServiceName(text) {
		s, ok := n.services[text]
		if !ok {
			return "", "", &missingName{"service", text}
		}
		return s.port, s.proto, nil
	}
	parts := strings.Split(text, ",")
	for i, p := range parts {
		from, to, isRange := strings.Cut(p, ":")
		a, errA := portNumber(from)
		b, errB := a, error(nil)
		if isRange {
			b, errB = portNumber(to)
		}
		if err := errors.Join(errA, errB); err != nil {
			return "", "", err
		}
		if isRange && a >= b {
			return "", "", fmt.Errorf("range %s does not go up", p)
		}
		parts[i] = strconv.Itoa(a)
		if isRange {
			parts[i] += ":" + strconv.Itoa(b)
		}
	}
	slices.SortStableFunc(parts, comparePorts)
	return strings.Join(parts, ","), "any", nil
}

var serviceName = regexp.MustCompile(`^[0-9]*[A-Za-z_][\w-]*$`)

func isServiceName(text string) bool { return text != "any" && serviceName.MatchString(text) }

func portNumber(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 || n > 65535 {
		hint := ""
		if strings.Contains(text, "/") {
			hint = ": write the protocol as proto"
		}
		return 0, fmt.Errorf("%q is not a port (1 to 65535)%s", text, hint)
	}
	return n, nil
}

// comparePorts is ufw's order of the ports in a list: by number, a port before
// the range that begins with it.
func comparePorts(a, b string) int {
	fromA, toA, _ := strings.Cut(a, ":")
	fromB, toB, _ := strings.Cut(b, ":")
	if c := number(fromA) - number(fromB); c != 0 {
		return c
	}
	return number(toA) - number(toB)
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// versions tells whether the rule is for IPv4, IPv6 or both.
func (o *ruleOptions) versions(proto string) (v4, v6 bool, err error) {
	from, to := version(o.FromIP), version(o.ToIP)
	switch {
	case from != 0 && to != 0 && from != to:
		return false, false, errors.New("from_ip and to_ip are of different IP versions")
	case from == 0 && to == 0:
		v4, v6 = true, true
	default:
		v4, v6 = from == 4 || to == 4, from == 6 || to == 6
	}
	if proto == "ipv6" || proto == "igmp" { // IPv4's only, see ufw's util
		if !v4 {
			return false, false, fmt.Errorf("protocol %s goes with IPv4 addresses only", proto)
		}
		v6 = false
	}
	return v4, v6, nil
}

func version(addr string) int {
	switch {
	case addr == "any" || addr == "":
		return 0
	case strings.Contains(addr, ":"):
		return 6
	}
	return 4
}

// address gives an address or network in ufw's notation: no mask for a single
// address, an IPv4 network with its host bits cleared, "any" as the network of
// everything.
func address(text string, v6 bool) (string, error) {
	if text == "any" || text == "" {
		if v6 {
			return "::/0", nil
		}
		return "0.0.0.0/0", nil
	}
	host, mask, masked := strings.Cut(text, "/")
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Zone() != "" {
		return "", fmt.Errorf("%q is not an address or network, such as 192.0.2.7 or 192.0.2.0/24", text)
	}
	if !masked {
		return ip.String(), nil
	}
	n, err := maskBits(mask, ip)
	if err != nil {
		return "", fmt.Errorf("%q: %w", text, err)
	}
	if n == ip.BitLen() {
		return ip.String(), nil
	}
	if ip.Is4() {
		ip = netip.PrefixFrom(ip, n).Masked().Addr()
	}
	return ip.String() + "/" + strconv.Itoa(n), nil
}

// maskBits reads "24", and "255.255.255.0" for IPv4.
func maskBits(mask string, ip netip.Addr) (int, error) {
	if quad, err := netip.ParseAddr(mask); err == nil && quad.Is4() && ip.Is4() {
		b := quad.As4()
		m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		if n := bits.LeadingZeros32(^m); m<<n == 0 {
			return n, nil
		}
		return 0, fmt.Errorf("the mask %s is not a row of ones", mask)
	}
	n, err := strconv.Atoi(mask)
	if err != nil || n < 0 || n > ip.BitLen() {
		return 0, fmt.Errorf("%q is not a mask for it", mask)
	}
	return n, nil
}

// profileRules makes one rule for each entry of the profile.
func profileRules(base rule, name string, n names) ([]rule, error) {
	p, ok := n.profiles[name]
	if !ok {
		return nil, &missingName{"application profile", name}
	}
	var out []rule
	for _, e := range p.ports {
		r := base
		r.dapp, r.dport, r.proto = p.name, e.port, e.proto
		out = append(out, r)
	}
	return out, nil
}

// place is where a new rule goes: the number for the ufw command, and what it
// means in the lists of IPv4 and IPv6 rules; 0 is last. ufw numbers the IPv6
// rules after the others.
type place struct{ number, at, at6 int }

// place counts for a rule of the given versions among n4 and n6 rules.
func (o *options) place(n4, n6 int, v4, v6 bool) place {
	if o.Insert == nil {
		return place{}
	}
	p := *o.Insert
	switch o.InsertRelativeTo {
	case "first-ipv4":
		p++
	case "last-ipv4":
		p += max(n4, 1)
	case "first-ipv6":
		p += n4 + 1
	case "last-ipv6":
		p += n4 + max(n6, 1)
	}
	if v6 && !v4 && p <= n4 { // ufw refuses it: before all IPv6 rules is meant
		p = n4 + 1
	}
	switch {
	case p < 1 || p > n4+n6 || (!v6 && p > n4):
		return place{}
	case p > n4:
		return place{number: p, at6: p - n4}
	}
	return place{number: p, at: p, at6: p}
}

// or is s, or otherwise when s is empty.
func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
