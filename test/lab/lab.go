package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Lab is a set of running hosts. All methods may be used by several
// goroutines.
type Lab struct {
	// Client is an outside machine on the hosts' network.
	Client *Client

	record record
	hosts  []*Host

	relaysMu sync.Mutex
	relays   []*Relay

	life     context.Context // ends when Close begins
	end      context.CancelCauseFunc
	busy     sync.RWMutex // read-held by what makes things, held by Close
	closing  sync.Once
	closeErr error
}

// ErrClosed is what a lab's methods return once Close has begun, and what
// ends those that were under way.
var ErrClosed = errors.New("the lab is closed")

func newLab(r record) *Lab {
	l := &Lab{record: r}
	l.life, l.end = context.WithCancelCause(context.Background())
	return l
}

// begin announces work that Close has to wait for. The returned context ends
// when the lab is closed; done must be called. Calls must not be nested.
func (l *Lab) begin(ctx context.Context) (working context.Context, done func(), err error) {
	l.busy.RLock()
	if l.life.Err() != nil {
		l.busy.RUnlock()
		return nil, nil, ErrClosed
	}
	working, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(l.life, func() { cancel(ErrClosed) })
	return working, func() {
		stop()
		cancel(nil)
		l.busy.RUnlock()
	}, nil
}

// Start makes a lab and returns when all its hosts have booted and answer on
// port 22. The first Start for a suite on a machine builds a base system,
// which takes a minute or two; others share it. Start also removes what
// killed processes left of their labs. When it fails nothing is left.
func Start(ctx context.Context, cfg Config) (*Lab, error) {
	if err := Missing(); err != nil {
		return nil, err
	}
	if err := raiseLimits(); err != nil {
		return nil, err
	}
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c, err := openCache()
	if err != nil {
		return nil, err
	}
	r, err := newRecipe(ctx, cfg.Suite)
	if err != nil {
		return nil, err
	}
	rec, err := reserve(ctx, cfg, c, filepath.Join(c.bases(), r.name()))
	if err != nil {
		return nil, err
	}
	l := newLab(rec)
	if !cfg.Detached && !cfg.IgnoreSignals {
		closeOnSignal(l)
	}
	if err := l.start(ctx, cfg, c, r); err != nil {
		return nil, errors.Join(fmt.Errorf("start the lab: %w", err), l.Close())
	}
	return l, nil
}

// start makes what the record has announced.
func (l *Lab) start(ctx context.Context, cfg Config, c cache, r recipe) error {
	ctx, done, err := l.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if _, err := c.ensureBase(ctx, r, cfg.Log); err != nil {
		return err
	}
	if err := l.build(ctx); err != nil {
		return err
	}
	if err := each(l.hosts, func(h *Host) error { return h.boot(ctx) }); err != nil {
		return err
	}
	if cfg.Detached {
		l.record.Detached = true
		return l.record.save()
	}
	return nil
}

// build sets up the network and the hosts, which stay off.
func (l *Lab) build(ctx context.Context) error {
	if err := l.record.network(ctx); err != nil {
		return err
	}
	key, err := newEd25519()
	if err != nil {
		return err
	}
	identities := []identity{}
	for n, name := range l.record.Hosts {
		id, err := newIdentity(name, l.record.addr(firstHostByte+n), l.record.gateway(), key.Public)
		if err != nil {
			return err
		}
		identities = append(identities, id)
	}
	data, err := json.Marshal(identities)
	if err != nil {
		return fmt.Errorf("write the hosts' identities: %w", err)
	}
	for name, content := range map[string][]byte{
		"id_ed25519": key.Private, "id_ed25519.pub": []byte(key.Public + "\n"), "identities.json": data,
	} {
		if err := writeAtomic(filepath.Join(l.record.dir(), name), content, 0o600); err != nil {
			return err
		}
	}
	if err := l.attach(); err != nil {
		return err
	}
	return l.writeKnownHosts()
}

// attach fills in the hosts and the client from the lab's directory.
func (l *Lab) attach() error {
	data, err := os.ReadFile(filepath.Join(l.record.dir(), "identities.json"))
	if err != nil {
		return fmt.Errorf("read the lab's hosts: %w", err)
	}
	var identities []identity
	if err := json.Unmarshal(data, &identities); err != nil {
		return fmt.Errorf("read the lab's hosts: %w", err)
	}
	l.Client = &Client{Addr: l.record.clientAddr().String(), netns: l.record.netns()}
	l.hosts = nil
	for n, id := range identities {
		m := l.record.machine(n)
		d, err := openDisk(m.dir, l.record.Base)
		if err != nil {
			return fmt.Errorf("open the disk of %s: %w", id.Name, err)
		}
		l.hosts = append(l.hosts, &Host{
			Name: id.Name, Addr: id.Addr.String(), lab: l, machine: m, identity: id, disk: d,
		})
	}
	return nil
}

// ErrNoLab is what Open returns when no lab of the name is running.
var ErrNoLab = errors.New("no such lab is running")

// Open attaches to a running lab by its name, whichever process started it.
// Close then removes it for all. A name that is not running is ErrNoLab; a lab
// that is only just starting is another error.
func Open(name string) (*Lab, error) {
	if err := Missing(); err != nil {
		return nil, err
	}
	for _, r := range readRecords() {
		if r.Name != name || r.abandoned() {
			continue
		}
		l := newLab(r)
		err := l.attach()
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.New("it is just starting or being removed, try again")
		}
		if err != nil {
			return nil, fmt.Errorf("open the lab %s: %w", name, err)
		}
		return l, nil
	}
	return nil, fmt.Errorf("open the lab %s: %w", name, ErrNoLab)
}

// Clean removes what killed processes left of their labs, as Start does too.
// Progress lines go to log, which may be nil.
func Clean(ctx context.Context, log io.Writer) error {
	if err := Missing(); err != nil {
		return err
	}
	if log == nil {
		log = io.Discard
	}
	c, err := openCache()
	if err != nil {
		return err
	}
	unlock, err := lockLabs(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return recoverLabs(ctx, c, "", log)
}

// Info describes a running lab from outside.
type Info struct {
	Name      string
	Detached  bool
	Abandoned bool // its process is gone; the next Start removes it
	Subnet    netip.Prefix
}

// List returns the labs on this machine, oldest first.
func List() []Info {
	var infos []Info
	for _, r := range readRecords() {
		infos = append(infos, Info{r.Name, r.Detached, r.abandoned(), r.Subnet})
	}
	return infos
}

// Close removes the lab and everything that belongs to it, hosts that hang
// included. Methods under way end with ErrClosed. Later calls return what the first one did. When it fails the next
// Start on the machine tries again.
func (l *Lab) Close() error {
	l.closing.Do(func() {
		defer forgetSignals(l)
		l.end(ErrClosed)
		l.busy.Lock()
		defer l.busy.Unlock()
		// Outside the lock, so that others can go on meanwhile.
		l.closeErr = errors.Join(l.closeRelays(), l.record.kill(context.Background()))
		unlock, err := lockLabs(context.Background())
		if err != nil {
			l.closeErr = errors.Join(l.closeErr, err)
			return
		}
		defer unlock()
		if err := errors.Join(l.closeErr, l.record.destroy(context.Background())); err != nil {
			l.closeErr = fmt.Errorf("close the lab %s: %w", l.record.Name, err)
		}
	})
	return l.closeErr
}

// Name is the lab's name, to Open it by.
func (l *Lab) Name() string { return l.record.Name }

// Subnet is the network that the hosts are on.
func (l *Lab) Subnet() netip.Prefix { return l.record.Subnet }

// Gateway is the IP address of this machine as the hosts see it.
func (l *Lab) Gateway() string { return l.record.gateway().String() }

// Hosts returns the hosts in the order of Config.Hosts.
func (l *Lab) Hosts() []*Host { return slices.Clone(l.hosts) }

// Lookup returns the host of the name, if the lab has it.
func (l *Lab) Lookup(name string) (*Host, bool) {
	i := slices.IndexFunc(l.hosts, func(h *Host) bool { return h.Name == name })
	if i < 0 {
		return nil, false
	}
	return l.hosts[i], true
}

// Host returns the host of the name and panics when the lab has none, which
// is a mistake in the test.
func (l *Lab) Host(name string) *Host {
	h, ok := l.Lookup(name)
	if !ok {
		panic(fmt.Sprintf("the lab has no host %q, only %v", name, l.record.Hosts))
	}
	return h
}

// Reset resets all hosts at the same time; see Host.Reset.
func (l *Lab) Reset(ctx context.Context) error {
	return each(l.hosts, func(h *Host) error { return h.Reset(ctx) })
}

// Snapshot saves all hosts' disks under a name; see Host.Snapshot.
func (l *Lab) Snapshot(ctx context.Context, name string) error {
	return each(l.hosts, func(h *Host) error { return h.Snapshot(ctx, name) })
}

// Restore brings all hosts back to a saved state; see Host.Restore.
func (l *Lab) Restore(ctx context.Context, name string) error {
	return each(l.hosts, func(h *Host) error { return h.Restore(ctx, name) })
}

// archives is the cache of downloaded packages.
func (l *Lab) archives() string { return cache{l.record.Cache}.archives(l.record.Suite) }
