package setup

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// mounts lists what /proc/self/mounts says is mounted from a device or a
// server. A file system that does not answer in time has no sizes.
func (p *probe) mounts(ctx context.Context) (map[string]any, error) {
	uuids := p.uuids()
	list := []any{}
	for _, line := range p.lines("/proc/self/mounts") {
		f := strings.Fields(line)
		if len(f) < 6 || !strings.HasPrefix(f[0], "/") && !strings.Contains(f[0], ":/") || f[2] == "none" {
			continue
		}
		device, dir := unescape(f[0]), unescape(f[1])
		dump, _ := strconv.Atoi(f[4])
		pass, _ := strconv.Atoi(f[5])
		m := map[string]any{
			"device": device, "mount": dir, "fstype": f[2], "options": f[3], "dump": dump, "passno": pass, "uuid": "N/A",
		}
		if id, ok := uuids[path.Base(device)]; ok {
			m["uuid"] = id
		}
		if err := p.sizes(ctx, dir, m); err != nil {
			m["note"] = err.Error()
		}
		list = append(list, m)
	}
	return map[string]any{"mounts": list}, nil
}

// unescape reads the octal escapes of fstab(5).
func unescape(s string) string {
	for _, e := range [][2]string{{`\040`, " "}, {`\011`, "\t"}, {`\012`, "\n"}, {`\134`, `\`}} {
		s = strings.ReplaceAll(s, e[0], e[1])
	}
	return s
}

// uuids maps device names to the UUIDs udev links to them.
func (p *probe) uuids() map[string]string {
	out := map[string]string{}
	list, err := p.ReadDir("/dev/disk/by-uuid")
	if err != nil {
		return out
	}
	for _, fi := range list {
		if fi.Type == host.Link {
			out[path.Base(fi.Target)] = path.Base(fi.Path)
		}
	}
	return out
}

// space is what statfs(2) says of a file system.
type space struct {
	block, blocks, free, avail int
	inodes, inodesFree         int
}

func (p *probe) sizes(ctx context.Context, dir string, m map[string]any) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	type answer struct {
		space
		err error
	}
	c := make(chan answer, 1)
	go func() { // a dead server holds statfs for ever
		s, err := p.sys.space(dir)
		c <- answer{s, err}
	}()
	select {
	case <-ctx.Done():
		return fmt.Errorf("the file system did not answer within %s", p.timeout)
	case a := <-c:
		if a.err != nil {
			return a.err
		}
		s := a.space
		m["block_size"], m["block_total"], m["block_available"], m["block_used"] = s.block, s.blocks, s.avail, s.blocks-s.free
		m["size_total"], m["size_available"] = s.block*s.blocks, s.block*s.avail
		m["inode_total"], m["inode_available"], m["inode_used"] = s.inodes, s.inodesFree, s.inodes-s.inodesFree
		return nil
	}
}

// devices lists the block devices of /sys/block with their partitions.
func (p *probe) devices(context.Context) (map[string]any, error) {
	list, err := p.ReadDir("/sys/block")
	if err != nil {
		return nil, nil
	}
	devices := map[string]any{}
	for _, fi := range list {
		name := path.Base(fi.Path)
		dir := "/sys/block/" + name
		sector := p.number(dir+"/queue/logical_block_size", 512)
		sectors := p.number(dir+"/size", 0)
		d := map[string]any{
			"virtual": 0, "removable": p.text(dir + "/removable"), "rotational": p.text(dir + "/queue/rotational"),
			"sectors": sectors, "sectorsize": strconv.Itoa(sector), "size": human(sectors * 512),
			"support_discard": p.text(dir + "/queue/discard_granularity"), "holders": p.holders(dir), "partitions": p.partitions(dir, name, sector),
		}
		if strings.Contains(fi.Target, "/virtual/") {
			d["virtual"] = 1
		}
		for key, file := range map[string]string{"model": "model", "vendor": "vendor", "serial": "serial", "wwn": "wwid"} {
			if v := p.text(dir + "/device/" + file); v != "" {
				d[key] = v
			} else if key == "model" || key == "vendor" {
				d[key] = nil
			}
		}
		devices[name] = d
	}
	return map[string]any{"devices": devices}, nil
}

func (p *probe) holders(dir string) []any {
	out := []any{}
	list, _ := p.ReadDir(dir + "/holders")
	for _, fi := range list {
		out = append(out, path.Base(fi.Path))
	}
	return out
}

func (p *probe) partitions(dir, disk string, sector int) map[string]any {
	out := map[string]any{}
	list, _ := p.ReadDir(dir)
	for _, fi := range list {
		name := path.Base(fi.Path)
		if !strings.HasPrefix(name, disk) || !p.exists(fi.Path+"/partition") {
			continue
		}
		sectors := p.number(fi.Path+"/size", 0)
		out[name] = map[string]any{
			"start": p.text(fi.Path + "/start"), "sectors": sectors, "sectorsize": sector,
			"size": human(sectors * 512), "holders": p.holders(fi.Path),
		}
	}
	return out
}

func (p *probe) number(file string, otherwise int) int {
	n, err := strconv.Atoi(p.text(file))
	if err != nil {
		return otherwise
	}
	return n
}

// human writes bytes as Ansible does, in powers of 1024.
func human(n int) string {
	f := float64(n)
	for _, unit := range []string{"Bytes", "KB", "MB", "GB", "TB"} {
		if f < 1024 || unit == "TB" {
			return fmt.Sprintf("%.2f %s", f, unit)
		}
		f /= 1024
	}
	return ""
}
