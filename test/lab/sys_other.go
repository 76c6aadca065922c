//go:build !linux

package lab

import (
	"errors"
	"os/exec"
	"syscall"
)

// errNotLinux is what everything that needs the kernel returns elsewhere.
var errNotLinux = errors.New("run the lab: it needs Linux (namespaces, overlayfs, systemd-nspawn)")

func mountOverlay([]string, string, string, string) error { return errNotLinux }
func unmount(string) error                                { return errNotLinux }
func lockFile(string) (func(), error)                     { return nil, errNotLinux }
func ownSession(*exec.Cmd)                                {}
func send(int, syscall.Signal) error                      { return errNotLinux }
func inNetns(string, func() error) error                  { return errNotLinux }
