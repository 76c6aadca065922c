package haproxy

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// fake is a haproxy as far as its admin socket goes. Its answers have the form
// haproxy 2.6.12 gives them.
type fake struct {
	mu       sync.Mutex
	servers  []*fakeServer
	told     []string
	looks    int
	sticky   bool // sessions end only when they are shut down
	refuses  string
	deny     bool
	listener net.Listener
}

type fakeServer struct {
	backend, name    string
	admin            int
	uweight, iweight int
	checkState       int
	down             bool
	rising           int // looks until a check succeeds
	scur             int
}

func newFake(t *testing.T, socket string, servers ...fakeServer) *fake {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{listener: l}
	for _, s := range servers {
		f.servers = append(f.servers, &s)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				f.serve(conn)
			}
		}
	}()
	return f
}

func (f *fake) serve(conn net.Conn) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	fmt.Fprint(conn, f.answer(strings.TrimSpace(line)))
}

func (f *fake) answer(line string) string {
	switch {
	case f.deny && !strings.HasPrefix(line, "show"):
		return "Permission denied\n\n"
	case line == "show servers state":
		return f.state()
	case line == "show stat -1 4 -1":
		return f.stat()
	}
	f.told = append(f.told, line)
	if f.refuses != "" {
		return f.refuses + "\n\n"
	}
	words := strings.Fields(line)
	for _, s := range f.servers {
		path := s.backend + "/" + s.name
		switch line {
		case "set server " + path + " state " + words[len(words)-1]:
			s.admin = map[string]int{"ready": 0, "drain": forcedDrain, "maint": forcedMaint}[words[4]]
		case "set weight " + path + " " + words[len(words)-1]:
			var n int
			fmt.Sscan(words[3], &n)
			if strings.HasSuffix(words[3], "%") {
				n = s.iweight * n / 100
			}
			s.uweight = n
		case "disable health " + path:
			s.checkState &^= checkEnabled
		case "enable health " + path:
			s.checkState |= checkEnabled
		case "shutdown sessions server " + path:
			s.scur = 0
		default:
			continue
		}
		return "\n"
	}
	return "No such server.\n\n"
}

func (f *fake) state() string {
	var b strings.Builder
	b.WriteString("1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n")
	for i, s := range f.servers {
		fmt.Fprintf(&b, "3 %s %d %s 192.0.2.1 2 %d %d %d 10 15 3 3 %d 0 0 0 - 443 - 0 0 - - 0\n", s.backend, i+1, s.name, s.admin, s.uweight, s.iweight, s.checkState)
	}
	return b.String() + "\n"
}

func (f *fake) stat() string {
	f.looks++
	var b strings.Builder
	b.WriteString("# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,check_status,last_chk,\n")
	for _, s := range f.servers {
		status := "UP"
		switch {
		case s.admin&forcedMaint != 0:
			status = "MAINT"
		case s.down:
			status = "DOWN"
		case s.admin&forcedDrain != 0:
			status = "DRAIN"
		case s.rising > 0:
			status = "UP 1/2"
			s.rising--
		}
		fmt.Fprintf(&b, "%s,%s,0,0,%d,1,,9,1,1,,0,,0,0,0,0,%s,%d,L7OK,\"HTTP status check returned code <200>, fine\",\n", s.backend, s.name, s.scur, status, s.uweight)
		if s.scur > 0 && !f.sticky && s.admin != 0 {
			s.scur--
		}
	}
	return b.String() + "\n"
}

func (f *fake) heard() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.told, "\n")
}
