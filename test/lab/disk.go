package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// disk is a host's file system: read-only layers, topmost first and the base
// last, under an upper layer that takes what the host writes.
//
//	root/              where it is mounted
//	upper/ work/       overlayfs's writable part
//	layers.json        the saved states it is mounted with
//	states/<name>/     saved upper layers, with the layers below them
//	dropped-*/         upper layers on their way out
type disk struct {
	dir    string
	base   string
	layers []string // saved states under the upper layer, topmost first
}

// openDisk returns the disk in dir, as the last process to mount it left it.
func openDisk(dir, base string) (disk, error) {
	d := disk{dir: dir, base: base}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return d, err
	}
	layers, err := readLayers(d.path("layers.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	d.layers = layers
	return d, nil
}

func (d *disk) path(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

// mounted says whether root is in place.
func (d *disk) mounted() (bool, error) {
	below, err := mountsBelow(d.path("root"))
	return len(below) > 0, err
}

// mount puts the layers together; the upper layer must be new.
func (d *disk) mount() error {
	for _, name := range []string{"root", "upper", "work"} {
		if err := os.MkdirAll(d.path(name), 0o755); err != nil {
			return fmt.Errorf("create the host's disk: %w", err)
		}
	}
	if err := writeLayers(d.path("layers.json"), d.layers); err != nil {
		return err
	}
	layers := append(slices.Clone(d.layers), d.base)
	return mountOverlay(layers, d.path("upper"), d.path("work"), d.path("root"))
}

// unmountAll takes root away.
func (d *disk) unmountAll() error {
	below, err := mountsBelow(d.path("root"))
	for _, point := range below {
		err = errors.Join(err, unmount(point))
	}
	return err
}

// detach unmounts root and sets the writable part aside. Calling the returned
// function deletes it, which takes a while when the host wrote much.
func (d *disk) detach() (remove func() error, err error) {
	if err := d.unmountAll(); err != nil {
		return nil, err
	}
	aside, err := os.MkdirTemp(d.dir, "dropped-")
	if err != nil {
		return nil, fmt.Errorf("drop the host's changes: %w", err)
	}
	for _, name := range []string{"upper", "work"} {
		err := os.Rename(d.path(name), filepath.Join(aside, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("drop the host's changes: %w", err)
		}
	}
	return func() error { return removeTree(aside) }, nil
}

// save turns the upper layer into a read-only one and puts a new upper layer
// on it, which copies nothing. Root must be idle.
func (d *disk) save(name string) error {
	state := d.path("states", name)
	if _, err := os.Stat(state); err == nil {
		return fmt.Errorf("save the state %s: there is one of that name", name)
	}
	if err := os.MkdirAll(state, 0o755); err != nil {
		return fmt.Errorf("save the state %s: %w", name, err)
	}
	if err := d.unmountAll(); err != nil {
		return err
	}
	layer := filepath.Join(state, "layer")
	if err := os.Rename(d.path("upper"), layer); err != nil {
		return fmt.Errorf("save the state %s: %w", name, err)
	}
	if err := removeTree(d.path("work")); err != nil {
		return err
	}
	d.layers = append([]string{layer}, d.layers...)
	return writeLayers(filepath.Join(state, "layers.json"), d.layers)
}

// saved reads which layers make up a saved state.
func (d *disk) saved(name string) ([]string, error) {
	layers, err := readLayers(d.path("states", name, "layers.json"))
	if err != nil {
		return nil, fmt.Errorf("find the saved state %s: %w", name, err)
	}
	return layers, nil
}

func writeLayers(path string, layers []string) error {
	data, err := json.Marshal(layers)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return writeAtomic(path, data, 0o600)
}

func readLayers(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var layers []string
	if err := json.Unmarshal(data, &layers); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return layers, nil
}
