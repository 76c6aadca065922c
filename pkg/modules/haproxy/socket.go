package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/units"
)

// answerTime is how long haproxy may take for one command.
const answerTime = 10 * time.Second

// ask gives haproxy one command and returns its answer, which is text: haproxy
// has no exit codes.
func ask(ctx context.Context, socket, command string) (string, error) {
	answer, err := exchange(ctx, socket, command)
	if err != nil {
		return "", fmt.Errorf("ask haproxy %q at %s: %w", command, socket, err)
	}
	return answer, nil
}

func exchange(ctx context.Context, socket, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", err
	}
	b, err := io.ReadAll(conn)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return string(b), err
}

// tell gives haproxy a command that changes something. haproxy answers with an
// empty line, or with what is wrong.
func tell(ctx context.Context, socket, command string) error {
	answer, err := ask(ctx, socket, command)
	if err != nil {
		return err
	}
	if said := strings.TrimSpace(answer); said != "" {
		return fmt.Errorf("haproxy refuses %q: %s", command, said)
	}
	return nil
}

// findSocket is where the admin socket is.
func findSocket(r host.Reader, given string) (string, error) {
	places := sockets
	if given != "" {
		places = []string{given}
	}
	for _, place := range places {
		info, err := r.Stat(place)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return "", err
		case info.Special != "sock":
			return "", fmt.Errorf("%s is not a socket", place)
		default:
			return place, nil
		}
	}
	if units.Pretended(r, units.System, "haproxy") {
		return "", host.Unknownf("haproxy is started by this run")
	}
	return "", fmt.Errorf("there is no admin socket at %s: is haproxy running, and does its configuration have a line `stats socket PATH level admin`?",
		strings.Join(places, " or "))
}
