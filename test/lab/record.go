package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// record is what a lab leaves on disk so that other processes, and the next
// run after a crash, know everything it owns. It is written before anything
// else is made.
type record struct {
	ID       string              `json:"id"`
	Name     string              `json:"name"`
	Suite    string              `json:"suite"`
	Base     string              `json:"base"`
	Cache    string              `json:"cache"`
	Subnet   netip.Prefix        `json:"subnet"`
	Hosts    []string            `json:"hosts"`
	Groups   map[string][]string `json:"groups"`
	Owner    process             `json:"owner"`
	Detached bool                `json:"detached"` // complete, and outlives its owner
	BootID   string              `json:"boot_id"`
	Created  time.Time           `json:"created"`
}

func (r record) dir() string        { return filepath.Join(runDir, r.ID) }
func (r record) disks() string      { return filepath.Join(cache{r.Cache}.labs(), r.ID) }
func (r record) bridge() string     { return "fpl" + r.ID }
func (r record) netns() string      { return "fpl" + r.ID }
func (r record) clientLink() string { return "fplc" + r.ID }
func (r record) tag() string        { return "foobar-play-lab-" + r.ID }
func (r record) machine(n int) machine {
	return machine{name: r.ID + "-" + strconv.Itoa(n), dir: r.hostDir(n)}
}
func (r record) hostDir(n int) string   { return filepath.Join(r.disks(), strconv.Itoa(n)) }
func (r record) gateway() netip.Addr    { return r.addr(1) }
func (r record) clientAddr() netip.Addr { return r.addr(2) }

func (r record) addr(last int) netip.Addr {
	bytes := r.Subnet.Addr().As4()
	bytes[3] = byte(last)
	return netip.AddrFrom4(bytes)
}

// abandoned says that nobody will close this lab any more.
func (r record) abandoned() bool {
	return r.BootID != bootID() || !r.Detached && !r.Owner.alive()
}

// save writes the record, creating the lab's directory in one step.
func (r record) save() error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the lab's record: %w", err)
	}
	if _, err := os.Stat(r.dir()); err == nil {
		return writeAtomic(filepath.Join(r.dir(), "lab.json"), data, 0o600)
	}
	temp := r.dir() + ".new"
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return fmt.Errorf("create the lab's directory: %w", err)
	}
	if err := writeAtomic(filepath.Join(temp, "lab.json"), data, 0o600); err != nil {
		return err
	}
	if err := os.Rename(temp, r.dir()); err != nil {
		return fmt.Errorf("create the lab's directory: %w", err)
	}
	return nil
}

// readRecords returns the records of all labs on the machine, oldest first.
// Directories without a readable record are left out.
func readRecords() []record {
	paths, _ := filepath.Glob(filepath.Join(runDir, "*", "lab.json"))
	var records []record
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		var r record
		if err := json.Unmarshal(data, &r); err == nil && r.ID == filepath.Base(filepath.Dir(path)) {
			records = append(records, r)
		}
	}
	slices.SortFunc(records, func(a, b record) int { return a.Created.Compare(b.Created) })
	return records
}

// lockLabs serialises what touches the machine as a whole: choosing ids and
// networks, removing labs.
func lockLabs(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(runDir, 0o755); err != nil {
		return nil, fmt.Errorf("create %s: %w", runDir, err)
	}
	return lockFile(ctx, filepath.Join(runDir, ".lock"))
}

// reserve removes abandoned labs, gives a new lab its id and network and
// writes its record.
func reserve(ctx context.Context, cfg Config, c cache, base string) (record, error) {
	unlock, err := lockLabs(ctx)
	if err != nil {
		return record{}, err
	}
	defer unlock()
	if err := recoverLabs(ctx, c, cfg.Name, cfg.Log); err != nil {
		return record{}, err
	}
	owner, err := self()
	if err != nil {
		return record{}, err
	}
	r := record{
		Suite: cfg.Suite, Base: base, Cache: c.dir, Hosts: cfg.Hosts, Groups: cfg.Groups,
		Owner: owner, BootID: bootID(), Created: time.Now(),
	}
	others := readRecords()
	for _, other := range others {
		if other.Name == cfg.Name {
			return record{}, fmt.Errorf("start the lab %s: a lab of that name is running, close it or choose another name", cfg.Name)
		}
	}
	for r.ID == "" || slices.ContainsFunc(others, func(other record) bool { return other.ID == r.ID }) {
		random := make([]byte, 3)
		_, _ = rand.Read(random) // never fails
		r.ID = hex.EncodeToString(random)[:5]
	}
	r.Name = cfg.Name
	if r.Name == "" {
		r.Name = r.ID
	}
	if r.Subnet, err = freeSubnet(others); err != nil {
		return record{}, err
	}
	return r, r.save()
}

func bootID() string {
	data, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(data))
}
