package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// turn waits for the host's turn to be switched. The context ends when the
// lab is closed; done must be called.
func (h *Host) turn(ctx context.Context) (working context.Context, done func(), err error) {
	working, end, err := h.lab.begin(ctx)
	if err != nil {
		return nil, nil, err
	}
	h.mu.Lock()
	return working, func() {
		h.mu.Unlock()
		end()
	}, nil
}

// boot mounts the disk if needed, switches the host on and waits for it. The
// caller has the host's turn.
func (h *Host) boot(ctx context.Context) error {
	mounted, err := h.disk.mounted()
	if err != nil {
		return err
	}
	if !mounted {
		if err := h.disk.mount(); err != nil {
			return err
		}
		if len(h.disk.layers) == 0 {
			if err := h.identity.seed(h.machine.root()); err != nil {
				return err
			}
		}
	}
	if err := seedArchives(h.lab.archives(), h.machine.archives()); err != nil {
		return err
	}
	if err := h.machine.start(h.lab.record.bridge()); err != nil {
		return err
	}
	return h.WaitReady(ctx)
}

// halt ends the host at once and keeps the packages it downloaded. The caller
// has the host's turn.
func (h *Host) halt(ctx context.Context) error {
	if h.Running() {
		// Unplugged first: nobody gets a goodbye.
		_ = h.setLink(ctx, "down")
		if err := h.machine.kill(ctx); err != nil {
			return err
		}
	}
	return collectArchives(h.machine.archives(), h.lab.archives())
}

// Start switches the host on and returns when it has booted and sshd answers.
// On a host that is on it only waits for that.
func (h *Host) Start(ctx context.Context) error {
	ctx, done, err := h.turn(ctx)
	if err != nil {
		return fmt.Errorf("start %s: %w", h.Name, err)
	}
	defer done()
	if h.Running() {
		return h.WaitReady(ctx)
	}
	if err := h.boot(ctx); err != nil {
		return fmt.Errorf("start %s: %w", h.Name, err)
	}
	return nil
}

// Stop cuts the host's power: open connections get no answer any more, not
// even a reset. What was written to disk, synced or not, is still there after
// Start. Stopping a host that is off does nothing.
func (h *Host) Stop(ctx context.Context) error {
	ctx, done, err := h.turn(ctx)
	if err != nil {
		return fmt.Errorf("stop %s: %w", h.Name, err)
	}
	defer done()
	if err := h.halt(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", h.Name, err)
	}
	return nil
}

// Shutdown switches the host off in order, as "systemctl poweroff" does.
func (h *Host) Shutdown(ctx context.Context) error {
	ctx, done, err := h.turn(ctx)
	if err != nil {
		return fmt.Errorf("shut down %s: %w", h.Name, err)
	}
	defer done()
	return h.shutdown(ctx)
}

func (h *Host) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bootTimeout, errors.New("the host did not shut down"))
	defer cancel()
	if err := h.machine.powerOff(ctx); err != nil {
		return fmt.Errorf("shut %s down: %w", h.Name, err)
	}
	return collectArchives(h.machine.archives(), h.lab.archives())
}

// Reset throws away everything that happened to the host, saved states
// excepted, and boots it fresh: same address, same host keys. It takes about
// a second.
func (h *Host) Reset(ctx context.Context) error {
	if err := h.rebuild(ctx, func() ([]string, error) { return nil, nil }); err != nil {
		return fmt.Errorf("reset %s: %w", h.Name, err)
	}
	return nil
}

// Snapshot shuts the host down in order, saves its disk under a name and
// boots it again. It copies nothing. The name must be new to this host.
func (h *Host) Snapshot(ctx context.Context, name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("save a state of %s: the name %q must be of lower-case letters, digits and dashes", h.Name, name)
	}
	ctx, done, err := h.turn(ctx)
	if err != nil {
		return fmt.Errorf("save a state of %s: %w", h.Name, err)
	}
	defer done()
	if err := h.shutdown(ctx); err != nil {
		return err
	}
	if err := errors.Join(h.disk.save(name), h.boot(ctx)); err != nil {
		return fmt.Errorf("save a state of %s: %w", h.Name, err)
	}
	return nil
}

// Restore throws away what happened to the host and boots it with the disk
// that Snapshot saved under the name. It takes as long as Reset.
func (h *Host) Restore(ctx context.Context, name string) error {
	if err := h.rebuild(ctx, func() ([]string, error) { return h.disk.saved(name) }); err != nil {
		return fmt.Errorf("restore %s: %w", h.Name, err)
	}
	return nil
}

// rebuild replaces the disk by the layers that choose returns and boots.
func (h *Host) rebuild(ctx context.Context, choose func() ([]string, error)) error {
	ctx, done, err := h.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	layers, err := choose()
	if err != nil {
		return err
	}
	if err := h.halt(ctx); err != nil {
		return err
	}
	remove, err := h.disk.detach()
	if err != nil {
		return err
	}
	removed := make(chan error, 1)
	go func() { removed <- remove() }()
	h.disk.layers = layers
	return errors.Join(h.boot(ctx), <-removed)
}

// CutOff unplugs the host's network cable: packets vanish both ways until
// Reconnect, while the host runs on. Exec still works. A host that starts or
// reboots is plugged in again.
func (h *Host) CutOff(ctx context.Context) error {
	if err := h.setLink(ctx, "down"); err != nil {
		return fmt.Errorf("cut %s off: %w", h.Name, err)
	}
	return nil
}

// Reconnect undoes CutOff.
func (h *Host) Reconnect(ctx context.Context) error {
	if err := h.setLink(ctx, "up"); err != nil {
		return fmt.Errorf("reconnect %s: %w", h.Name, err)
	}
	_, _ = run(ctx, "ip", "neigh", "flush", "dev", h.lab.record.bridge(), "to", h.Addr)
	return nil
}

func (h *Host) setLink(ctx context.Context, state string) error {
	if _, err := net.InterfaceByName(h.machine.link()); err != nil {
		return errors.New("the host is not running")
	}
	_, err := run(ctx, "ip", "link", "set", h.machine.link(), state)
	return err
}
