//go:build !linux

package lab

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
)

// errNotLinux is what everything that needs the kernel returns elsewhere.
var errNotLinux = errors.New("run the lab: it needs Linux (namespaces, overlayfs, systemd-nspawn)")

func mountOverlay([]string, string, string, string) error { return errNotLinux }
func unmount(string) error                                { return errNotLinux }
func lockFile(context.Context, string) (func(), error)    { return nil, errNotLinux }
func ownSession(*exec.Cmd)                                {}
func send(int, syscall.Signal) error                      { return errNotLinux }
func inNetns(string, func() error) error                  { return errNotLinux }
