package ufw

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// readNames looks up the application profiles and services that rules name.
func readNames(h host.Reader, rules ...*ruleOptions) (names, error) {
	n := names{profiles: map[string]profile{}, services: map[string]portProto{}}
	for _, o := range rules {
		if o.Name != "" {
			p, err := findProfile(h, o.Name)
			if err != nil {
				return n, err
			}
			n.profiles[o.Name] = p
		}
		for _, port := range []string{o.ToPort, o.FromPort} {
			if !isServiceName(port) {
				continue
			}
			s, err := lookUpService(h, port)
			if err != nil {
				return n, err
			}
			n.services[port] = s
		}
	}
	return n, nil
}

func lookUpService(h host.Reader, name string) (portProto, error) {
	content, err := host.ReadFile(h, servicesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return portProto{}, fmt.Errorf("cannot look the service %s up, there is no %s (package netbase): write the port's number", name, servicesFile)
	}
	if err != nil {
		return portProto{}, fmt.Errorf("look the service %s up: %w", name, err)
	}
	s, ok := findService(string(content), name)
	if !ok {
		return s, &missingName{"service", name}
	}
	return s, nil
}

// findService reads /etc/services; the protocol is "any" for a service with
// both TCP and UDP.
func findService(content, name string) (portProto, bool) {
	var found portProto
	protos := map[string]bool{}
	for line := range strings.Lines(content) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		port, proto, _ := strings.Cut(f[1], "/")
		for _, alias := range append(f[:1:1], f[2:]...) {
			if alias == name && (found.port == "" || found.port == port) {
				found.port = port
				protos[proto] = true
			}
		}
	}
	switch {
	case protos["tcp"] && !protos["udp"]:
		found.proto = "tcp"
	case protos["udp"] && !protos["tcp"]:
		found.proto = "udp"
	default:
		found.proto = "any"
	}
	return found, found.port != ""
}

// findProfile looks for an application profile by its exact name, then by its
// name in any case, as ufw does.
func findProfile(h host.Reader, name string) (profile, error) {
	files, err := h.ReadDir(profilesDir)
	if err != nil {
		return profile{}, fmt.Errorf("look for the application profile %s: %w", name, err)
	}
	profiles := map[string]string{}
	for _, f := range files {
		base := path.Base(f.Path)
		if f.Type != host.File || strings.HasPrefix(base, ".") || strings.HasSuffix(base, "~") ||
			strings.Contains(base, ".dpkg-") || strings.HasSuffix(base, ".rpmnew") || strings.HasSuffix(base, ".rpmsave") {
			continue
		}
		content, err := host.ReadFile(h, f.Path)
		if err != nil {
			return profile{}, fmt.Errorf("read application profiles: %w", err)
		}
		readProfiles(string(content), profiles)
	}
	exact := ""
	for p := range profiles {
		switch {
		case p == name:
			return profile{p, profilePorts(profiles[p])}, nil
		case strings.EqualFold(p, name) && exact != "":
			return profile{}, fmt.Errorf("several application profiles are called %q but for their case: write it exactly", name)
		case strings.EqualFold(p, name):
			exact = p
		}
	}
	if exact == "" {
		return profile{}, &missingName{"application profile", name}
	}
	return profile{exact, profilePorts(profiles[exact])}, nil
}

// readProfiles collects the ports= lines of a file of profiles, by section.
func readProfiles(content string, into map[string]string) {
	section := ""
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			section = line[1 : len(line)-1]
			continue
		}
		i := strings.IndexAny(line, "=:")
		if i > 0 && section != "" && strings.EqualFold(strings.TrimSpace(line[:i]), "ports") {
			into[section] = strings.TrimSpace(line[i+1:])
		}
	}
}

// profilePorts takes "80,443/tcp|8080/udp|53" apart.
func profilePorts(ports string) []portProto {
	var out []portProto
	for entry := range strings.SplitSeq(ports, "|") {
		port, proto, _ := strings.Cut(strings.TrimSpace(entry), "/")
		normal, _, err := readPort(port, names{})
		if err != nil {
			normal = port
		}
		out = append(out, portProto{normal, or(proto, "any")})
	}
	return out
}
