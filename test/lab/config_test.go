package lab

import (
	"net"
	"reflect"
	"strings"
	"testing"
)

func TestDefaultGroups(t *testing.T) {
	cases := map[string]struct {
		hosts string
		want  map[string][]string
	}{
		"web hosts carry the database": {
			"lb01 web01 web02", map[string][]string{"lb": {"lb01"}, "web": {"web01", "web02"}, "db": {"web01", "web02"}},
		},
		"own database host": {"web01 db01", map[string][]string{"web": {"web01"}, "db": {"db01"}}},
		"other names":       {"alpha beta", map[string][]string{}},
	}
	for name, c := range cases {
		if got := defaultGroups(strings.Fields(c.hosts)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	cases := map[string]struct {
		config Config
		want   string
	}{
		"twice":           {Config{Hosts: []string{"a", "a"}}, "listed twice"},
		"upper case":      {Config{Hosts: []string{"Web01"}}, `host name "Web01"`},
		"dash at the end": {Config{Hosts: []string{"web-"}}, `host name "web-"`},
		"group of others": {Config{Hosts: []string{"a"}, Groups: map[string][]string{"g": {"b"}}}, `no host "b"`},
		"group all":       {Config{Groups: map[string][]string{"all": nil}}, `group name "all"`},
		"lab name":        {Config{Name: "../x"}, `name "../x"`},
		"suite":           {Config{Suite: "a b"}, `suite "a b"`},
		"too many":        {Config{Hosts: make([]string, maxHosts+1)}, "too many"},
	}
	for name, c := range cases {
		if _, err := c.config.withDefaults(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if c, err := (Config{}).withDefaults(); err != nil || len(c.Hosts) != 3 || c.Suite != DefaultSuite {
		t.Errorf("the zero config becomes %+v, %v", c, err)
	}
}

// stub is a lab that exists on paper, in a directory of the test's.
func stub(t *testing.T, cfg Config) *Lab {
	t.Helper()
	cfg, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(record{ID: "00000", Hosts: cfg.Hosts, Groups: cfg.Groups})
	for i, name := range cfg.Hosts {
		l.hosts = append(l.hosts, &Host{Name: name, Addr: "198.18.0." + string(rune('1'+i)), lab: l})
	}
	return l
}

// fakeListener has an address and nothing else.
type fakeListener struct{ net.Listener }

func (fakeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2222} }

func TestInventoryText(t *testing.T) {
	l := stub(t, Config{Hosts: []string{"lb01", "web01"}})
	relay := &Relay{host: l.Host("web01"), listener: fakeListener{}}
	want := `all:
  vars:
    ansible_user: deploy
    ansible_ssh_private_key_file: ` + l.KeyFile() + `
  hosts:
    lb01:
      ansible_host: 198.18.0.1
    web01:
      ansible_host: 127.0.0.1
      ansible_port: 2222
  children:
    db:
      hosts:
        web01:
    lb:
      hosts:
        lb01:
    web:
      hosts:
        web01:
`
	if got := l.inventoryText(relay); got != want {
		t.Errorf("inventory =\n%s\nwant\n%s", got, want)
	}
}
