package inventory

import (
	"slices"
	"strings"
	"testing"
)

func TestExpandHost(t *testing.T) {
	for text, want := range map[string]string{
		"web01":              "web01",
		"web01.example.com":  "web01.example.com",
		"web[1:3]":           "web1 web2 web3",
		"web[01:03]":         "web01 web02 web03",
		"web[08:11]":         "web08 web09 web10 web11",
		"web[098:100]":       "web098 web099 web100",
		"web[1:10:4]":        "web1 web5 web9",
		"web[:2]":            "web0 web1 web2",
		"db-[a:c]":           "db-a db-b db-c",
		"db-[a:f:2].x":       "db-a db-c db-e x",
		"[a:b][1:2]":         "a1 a2 b1 b2",
		"w[y:B]":             "wy wz wA wB",
		"web[1:2]:2222":      "web1 web2 :2222",
		"[2001:db8::1]:2222": "2001:db8::1 :2222",
		"[2001:db8::1]":      "2001:db8::1",
		"2001:db8::1":        "2001:db8::1",
		"fe80::1%eth0":       "fe80::1%eth0",
		"192.0.2.[1:2]":      "192.0.2.1 192.0.2.2",
		"web01:22":           "web01 :22",
		"web[9223372036854775806:9223372036854775807]": "web9223372036854775806 web9223372036854775807",
	} {
		names, port, err := expandHost(text)
		got := strings.Join(names, " ")
		if port != 0 {
			got += " :" + text[strings.LastIndex(text, ":")+1:]
		}
		if text == "db-[a:f:2].x" {
			want = "db-a.x db-c.x db-e.x"
		}
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestExpandHostMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "name is empty",
		"web:":                "ends in a colon",
		":22":                 "no host before the port",
		"web:0":               `"0" is not a port`,
		"web:65536":           "is not a port",
		"a:b:c":               "neither a host, host:port nor an IPv6 address",
		"web[1]":              "must be [begin:end]",
		"web[1:2:3:4]":        "must be [begin:end]",
		"web[1:]":             "needs an end",
		"web[a:]":             "needs an end",
		"web[01:5]":           "as in [01:05]",
		"web[3:1]":            "ends before it begins",
		"web[c:a]":            "ends before it begins",
		"web[a:3]":            "two numbers or two single letters",
		"web[aa:bb]":          "two numbers or two single letters",
		"web[1:5:0]":          "step",
		"web[1:5:x]":          "step",
		"web[0:999999999999]": "more than 100000 hosts",
		"w[0:999][0:999]":     "more than 100000 hosts",
		"w[99999999999999999999:99999999999999999999]": "too large",
		"web[1:2":          "[ without a ]",
		"web1:2]":          `"2]" is not a port`,
		"web]":             "] without a [",
		"a/b":              "cannot have '/'",
		"../x":             "cannot begin with '.'",
		"-oProxyCommand=x": "cannot begin with '-'",
		"a b":              "cannot have ' '",
		"a\x1b":            "cannot have",
		"{{.x}}":           "cannot be a template",
	} {
		names, _, err := expandHost(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want an error with %q", text, names, err, want)
		}
	}
}

func FuzzExpandHost(f *testing.F) {
	for _, s := range []string{"web[01:03]:22", "[::1]:2", "a[a:c:2][1:2]", "w[9223372036854775806:9223372036854775807:9]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		names, port, err := expandHost(text)
		if err != nil {
			return
		}
		if len(names) == 0 || len(names) > maxExpansion || port < 0 || port > 65535 {
			t.Fatalf("%q: %d hosts, port %d", text, len(names), port)
		}
		if slices.ContainsFunc(names, func(n string) bool { return n == "" || strings.ContainsAny(n, " /[]\n,*") }) {
			t.Fatalf("%q gives %q", text, names)
		}
	})
}
