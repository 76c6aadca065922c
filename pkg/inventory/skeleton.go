package inventory

import "github.com/foobar-play/foobar-play/pkg/vars"

func (inv *Inventory) Match(pattern string) ([]*Host, error)                { return nil, nil }
func (inv *Inventory) Limit(hosts []*Host, pattern string) ([]*Host, error) { return hosts, nil }
func (inv *Inventory) Layers(h *Host, playbookDir string) []vars.Layer      { return nil }
func (inv *Inventory) JSON() any                                            { return nil }
