package setup

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/accounts"
)

func (p *probe) user(ctx context.Context) (map[string]any, error) {
	uid, gid, euid, egid := p.sys.identity()
	out := map[string]any{
		"user_uid": euid, "user_gid": egid,
		"real_user_id": uid, "effective_user_id": euid, "real_group_id": gid, "effective_group_id": egid,
	}
	u, ok, err := accounts.UserByID(ctx, p, euid)
	if err != nil {
		return out, err
	}
	if ok {
		out["user_id"], out["user_gid"], out["user_gecos"] = u.Name, u.GID, u.Comment
		out["user_dir"], out["user_shell"] = u.Home, u.Shell
	}
	return out, nil
}

func (p *probe) environment(context.Context) (map[string]any, error) {
	list := p.env.Environ
	if list == nil {
		list = os.Environ()
	}
	env := map[string]any{}
	for _, kv := range list {
		if k, v, ok := strings.Cut(kv, "="); ok && k != "" {
			env[k] = strings.ToValidUTF8(v, "\uFFFD")
		}
	}
	return map[string]any{"env": env}, nil
}

func (p *probe) dateTime(context.Context) (map[string]any, error) {
	return map[string]any{"date_time": dateTime(p.sys.now())}, nil
}

// dateTime gives a time under the names of Ansible's fact; week numbers count
// from the first Monday (%W).
func dateTime(t time.Time) map[string]any {
	zone, offset := t.Zone()
	dst := zone
	if !t.IsDST() {
		dst = summerZone(t, zone)
	}
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	week := (t.YearDay() - 1 + 7 - (int(t.Weekday())+6)%7) / 7
	utc := t.UTC()
	return map[string]any{
		"year": t.Format("2006"), "month": t.Format("01"), "day": t.Format("02"), "weekday": t.Weekday().String(),
		"weekday_number": fmt.Sprint(int(t.Weekday())), "weeknumber": fmt.Sprintf("%02d", week),
		"hour": t.Format("15"), "minute": t.Format("04"), "second": t.Format("05"),
		"epoch": fmt.Sprint(t.Unix()), "epoch_int": fmt.Sprint(t.Unix()), "date": t.Format("2006-01-02"), "time": t.Format("15:04:05"),
		"iso8601_micro": utc.Format("2006-01-02T15:04:05.000000Z"), "iso8601": utc.Format("2006-01-02T15:04:05Z"),
		"iso8601_basic":       strings.Replace(t.Format("20060102T150405.000000"), ".", "", 1),
		"iso8601_basic_short": t.Format("20060102T150405"),
		"tz":                  zone, "tz_dst": dst, "tz_offset": fmt.Sprintf("%c%02d%02d", sign, offset/3600, offset%3600/60),
	}
}

// summerZone is the zone's name in summer time; the name itself when there is
// none.
func summerZone(t time.Time, zone string) string {
	for m := time.January; m <= time.December; m++ {
		if s := time.Date(t.Year(), m, 1, 12, 0, 0, 0, t.Location()); s.IsDST() {
			name, _ := s.Zone()
			return name
		}
	}
	return zone
}

func (p *probe) dns(context.Context) (map[string]any, error) {
	dns := map[string]any{}
	for _, line := range p.lines("/etc/resolv.conf") {
		fields := strings.Fields(line)
		if len(fields) < 2 || strings.ContainsAny(fields[0][:1], "#;") {
			continue
		}
		switch key, rest := fields[0], fields[1:]; key {
		case "nameserver":
			list, _ := dns["nameservers"].([]any)
			for _, s := range rest {
				list = append(list, s)
			}
			dns["nameservers"] = list
		case "domain":
			dns["domain"] = rest[0]
		case "search", "sortlist":
			var list []any
			for _, s := range rest {
				list = append(list, s)
			}
			dns[key] = list
		case "options":
			dns["options"] = resolverOptions(rest)
		}
	}
	return map[string]any{"dns": dns}, nil
}

func resolverOptions(words []string) map[string]any {
	out := map[string]any{}
	for _, w := range words {
		if k, v, ok := strings.Cut(w, ":"); ok {
			out[k] = v
		} else {
			out[w] = true
		}
	}
	return out
}

var keyTypes = []string{"dsa", "rsa", "ecdsa", "ed25519"}

func sshFacts() []string {
	var out []string
	for _, t := range keyTypes {
		out = append(out, "ssh_host_key_"+t+"_public", "ssh_host_key_"+t+"_public_keytype")
	}
	return out
}

// sshKeys reads the public host keys.
func (p *probe) sshKeys(context.Context) (map[string]any, error) {
	out := map[string]any{}
	for _, dir := range []string{"/etc/ssh", "/etc/openssh", "/etc"} {
		for _, t := range keyTypes {
			fields := strings.Fields(p.text(dir + "/ssh_host_" + t + "_key.pub"))
			if name := "ssh_host_key_" + t + "_public"; len(fields) >= 2 && out[name] == nil {
				out[name+"_keytype"], out[name] = fields[0], fields[1]
			}
		}
		if len(out) > 0 {
			break
		}
	}
	return out, nil
}

// query runs a reading command and gives its output.
func (p *probe) query(ctx context.Context, argv ...string) (string, error) {
	cmd := host.Command{Argv: argv, Timeout: p.timeout}
	out, err := p.Query(ctx, cmd)
	if err := host.Check(cmd, out, err); err != nil {
		return "", err
	}
	return string(out.Stdout), nil
}
