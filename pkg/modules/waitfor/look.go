package waitfor

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// finding is what one look found.
type finding struct {
	holds  bool
	groups []string // of the regular expression, the whole match first
}

// look finds out once whether the condition holds.
func (a *wait) look(ctx context.Context, r host.Reader) (finding, error) {
	if a.Path != "" {
		return a.file(r)
	}
	if a.State == "drained" {
		n, err := a.connected(r)
		return finding{holds: n == 0}, err
	}
	return a.port(ctx), ctx.Err()
}

func (a *wait) file(r host.Reader) (finding, error) {
	there, err := host.Exists(r, a.Path)
	if err != nil {
		return finding{}, err
	}
	gone := a.State == "absent"
	if a.re == nil || !there {
		return finding{holds: there != gone}, nil
	}
	b, err := host.ReadFile(r, a.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return finding{holds: gone}, nil
	}
	if err != nil {
		return finding{}, err
	}
	groups := a.re.FindStringSubmatch(string(b))
	if gone {
		return finding{holds: groups == nil}, nil
	}
	return finding{holds: groups != nil, groups: groups}, nil
}

// port connects once. Everything that keeps a connection from standing makes
// the port closed.
func (a *wait) port(ctx context.Context) finding {
	d := net.Dialer{Timeout: time.Duration(a.ConnectTimeout) * second}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(a.Host, strconv.Itoa(a.Port)))
	gone := a.State == "absent" || a.State == "stopped"
	if err != nil {
		return finding{holds: gone}
	}
	defer conn.Close()
	if gone || a.re == nil {
		return finding{holds: !gone}
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	groups := a.listen(conn)
	return finding{holds: groups != nil, groups: groups}
}

// listen reads what the port sends until the text is in it, the other side
// says no more, or the connection's time is over. A megabyte is enough.
func (a *wait) listen(conn net.Conn) []string {
	if conn.SetReadDeadline(time.Now().Add(time.Duration(a.ConnectTimeout)*second)) != nil {
		return nil
	}
	var said []byte
	buf := make([]byte, 1024)
	for len(said) < 1<<20 {
		n, err := conn.Read(buf)
		said = append(said, buf[:n]...)
		if groups := a.re.FindStringSubmatch(string(said)); groups != nil {
			return groups
		}
		if err != nil {
			return nil
		}
	}
	return nil
}

// tcpStates are the states of /proc/net/tcp, from 1.
var tcpStates = []string{"ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
	"CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"}

// connected counts the connections to the port.
func (a *wait) connected(r host.Reader) (int, error) {
	mine := a.addresses()
	n := 0
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := host.ReadFile(r, file)
		if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(file, "6") {
			continue // a kernel without IPv6
		}
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(b)) {
			if a.counts(line, mine) {
				n++
			}
		}
	}
	return n, nil
}

// addresses are those the option host means; none: any.
func (a *wait) addresses() []netip.Addr {
	if a.Host == "0.0.0.0" || a.Host == "::" || a.Host == "*" {
		return nil
	}
	return resolve(a.Host)
}

func resolve(name string) []netip.Addr {
	if ip, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{ip}
	}
	list, err := net.LookupIP(name)
	if err != nil {
		return []netip.Addr{{}} // matches nothing
	}
	var out []netip.Addr
	for _, ip := range list {
		if addr, ok := netip.AddrFromSlice(ip); ok {
			out = append(out, addr.Unmap())
		}
	}
	return out
}

func (a *wait) counts(line string, mine []netip.Addr) bool {
	f := strings.Fields(line)
	if len(f) < 4 {
		return false
	}
	local, err := endpoint(f[1])
	if err != nil || int(local.Port()) != a.Port || mine != nil && !slices.Contains(mine, local.Addr()) {
		return false
	}
	state, err := strconv.ParseInt(f[3], 16, 16)
	if err != nil || state < 1 || int(state) > len(tcpStates) || !slices.Contains(a.ActiveConnectionStates, tcpStates[state-1]) {
		return false
	}
	remote, err := endpoint(f[2])
	return err == nil && !slices.ContainsFunc(a.ExcludeHosts, func(h string) bool {
		return slices.Contains(resolve(h), remote.Addr())
	})
}

// endpoint reads "0100007F:1F90": words of four bytes in the machine's order,
// here taken as little-endian, which all machines we run on are.
func endpoint(s string) (netip.AddrPort, error) {
	addr, port, ok := strings.Cut(s, ":")
	raw, err := hex.DecodeString(addr)
	if err != nil || !ok {
		return netip.AddrPort{}, errors.Join(err, fmt.Errorf("%q is no address", s))
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		slices.Reverse(raw[i : i+4])
	}
	ip, isIP := netip.AddrFromSlice(raw)
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil || !isIP {
		return netip.AddrPort{}, io.ErrUnexpectedEOF
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(n)), nil
}
