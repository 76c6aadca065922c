//go:build !linux

package setup

import "errors"

func (native) space(string) (space, error) {
	return space{}, errors.New("the size of file systems is read on Linux only")
}
