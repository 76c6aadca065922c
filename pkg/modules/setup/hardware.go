package setup

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
)

func (p *probe) memory(context.Context) (map[string]any, error) {
	kb := map[string]int{}
	for _, line := range p.lines("/proc/meminfo") {
		name, rest, ok := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if !ok || len(fields) == 0 {
			continue
		}
		if n, err := strconv.Atoi(fields[0]); err == nil {
			kb[name] = n
		}
	}
	mb := func(name string) int { return kb[name] / 1024 }
	total, free := mb("MemTotal"), mb("MemFree")
	swapTotal, swapFree := mb("SwapTotal"), mb("SwapFree")
	nocacheFree := (kb["MemFree"] + kb["Cached"] + kb["Buffers"]) / 1024
	return map[string]any{
		"memtotal_mb": total, "memfree_mb": free, "swaptotal_mb": swapTotal, "swapfree_mb": swapFree,
		"memory_mb": map[string]any{
			"real":    map[string]any{"total": total, "free": free, "used": total - free},
			"nocache": map[string]any{"free": nocacheFree, "used": total - nocacheFree},
			"swap":    map[string]any{"total": swapTotal, "free": swapFree, "used": swapTotal - swapFree, "cached": mb("SwapCached")},
		},
	}, nil
}

// processor reads /proc/cpuinfo. Where it names no sockets (most ARM
// machines), each processor counts as a socket of one core.
func (p *probe) processor(context.Context) (map[string]any, error) {
	var list []any
	sockets, cores := map[string]bool{}, map[string]bool{}
	var socket string
	n := 0
	for _, line := range p.lines("/proc/cpuinfo") {
		key, v, ok := strings.Cut(line, ":")
		key, v = strings.TrimSpace(key), strings.TrimSpace(v)
		if !ok {
			continue
		}
		switch key {
		case "processor":
			n++
			socket = ""
			list = append(list, v)
		case "vendor_id", "model name", "Processor", "cpu":
			list = append(list, v)
		case "physical id":
			socket = v
			sockets[v] = true
		case "core id":
			cores[socket+"/"+v] = true
		}
	}
	count := max(len(sockets), 1)
	perSocket := max(len(cores)/count, 1)
	if len(sockets) == 0 {
		count, perSocket = max(n, 1), 1
	}
	threads := max(n/(count*perSocket), 1)
	return map[string]any{
		"processor": list, "processor_count": count, "processor_cores": perSocket,
		"processor_threads_per_core": threads, "processor_vcpus": threads * count * perSocket,
		"processor_nproc": p.sys.processors(),
	}, nil
}

func (p *probe) uptime(context.Context) (map[string]any, error) {
	first, _, _ := strings.Cut(p.text("/proc/uptime"), " ")
	f, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return nil, nil
	}
	return map[string]any{"uptime_seconds": int(f)}, nil
}

func (p *probe) loadavg(context.Context) (map[string]any, error) {
	f := strings.Fields(p.text("/proc/loadavg"))
	if len(f) < 3 {
		return nil, nil
	}
	avg := map[string]any{}
	for i, k := range []string{"1m", "5m", "15m"} {
		avg[k], _ = strconv.ParseFloat(f[i], 64)
	}
	return map[string]any{"loadavg": avg}, nil
}

// dmiFiles maps facts to files of /sys/class/dmi/id.
var dmiFiles = map[string]string{
	"bios_date": "bios_date", "bios_vendor": "bios_vendor", "bios_version": "bios_version",
	"board_asset_tag": "board_asset_tag", "board_name": "board_name", "board_serial": "board_serial",
	"board_vendor": "board_vendor", "board_version": "board_version",
	"chassis_asset_tag": "chassis_asset_tag", "chassis_serial": "chassis_serial",
	"chassis_vendor": "chassis_vendor", "chassis_version": "chassis_version",
	"form_factor": "chassis_type", "product_name": "product_name", "product_serial": "product_serial",
	"product_uuid": "product_uuid", "product_version": "product_version", "system_vendor": "sys_vendor",
}

func dmiFacts() []string { return slices.Sorted(maps.Keys(dmiFiles)) }

// formFactors are the chassis types of the SMBIOS specification, from 0.
var formFactors = strings.Split("Unknown,Other,Unknown,Desktop,Low Profile Desktop,Pizza Box,Mini Tower,Tower,Portable,"+
	"Laptop,Notebook,Hand Held,Docking Station,All In One,Sub Notebook,Space-saving,Lunch Box,Main Server Chassis,"+
	"Expansion Chassis,Sub Chassis,Bus Expansion Chassis,Peripheral Chassis,RAID Chassis,Rack Mount Chassis,"+
	"Sealed-case PC,Multi-system,CompactPCI,AdvancedTCA,Blade,Blade Enclosure,Tablet,Convertible,Detachable,"+
	"IoT Gateway,Embedded PC,Mini PC,Stick PC", ",")

// dmi reads what the firmware says of the machine; "NA" is what it does not
// say, or says only to root.
func (p *probe) dmi(context.Context) (map[string]any, error) {
	out := map[string]any{}
	for fact, file := range dmiFiles {
		v := p.text("/sys/class/dmi/id/" + file)
		if v == "" {
			v = "NA"
		}
		if n, err := strconv.Atoi(v); fact == "form_factor" && err == nil && n >= 0 && n < len(formFactors) {
			v = formFactors[n]
		}
		out[fact] = v
	}
	return out, nil
}
