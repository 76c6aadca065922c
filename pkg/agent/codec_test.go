package agent

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/agent/internal/testmodules"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// everyValue holds each kind of package value, nested.
func everyValue() map[string]any {
	return map[string]any{
		"null": nil, "true": true, "false": false, "zero": 0, "int": -42, "big": math.MaxInt, "small": math.MinInt,
		"float": 1.5, "whole": 2.0, "inf": math.Inf(1), "text": "grüße", "empty": "", "binary": "\xff\x00\xfe",
		"unknown": value.Unknown{Reason: "later"},
		"list":    []any{1, 2.0, "3", nil, []any{value.Unknown{Reason: "deep"}}, map[string]any{"k": 7}},
		"map":     map[string]any{"a": map[string]any{"b": []any{value.Unknown{}}}, "": 1},
		"nothing": []any{}, "void": map[string]any{},
	}
}

func roundTrip[T any](t *testing.T, k kind, msg T) T {
	t.Helper()
	frame, err := encodeFrame(k, msg)
	if err != nil {
		t.Fatal(err)
	}
	again, err := encodeFrame(k, msg)
	if err != nil || !bytes.Equal(frame, again) {
		t.Errorf("the encoding differs from time to time: %v", err)
	}
	w := &wire{in: bufio.NewReader(bytes.NewReader(frame))}
	gotKind, body, err := w.receive()
	if err != nil || gotKind != k {
		t.Fatalf("kind %d, %v", gotKind, err)
	}
	var got T
	if err := decode(body, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRequestRoundTrip(t *testing.T) {
	want := requestMsg{ID: 7, Module: "copy", Args: everyValue(), Check: true, Diff: true, Env: map[string]string{"A": "b"}, Timeout: time.Second, Stream: true}
	if got := roundTrip(t, kindRequest, want); !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v\nwant %#v", got, want)
	}
}

func TestReplyRoundTrip(t *testing.T) {
	want := replyMsg{ID: 9, Result: modules.Result{
		Changed: true, Skipped: true, Unknown: "why", Msg: "msg",
		Changes: []modules.Change{
			{Field: "content", Before: everyValue(), After: []any{1}, Sensitive: true, Path: "/p"},
			{Field: "mode", Before: nil, After: value.Unknown{Reason: "r"}},
		},
		Values: everyValue(), Facts: everyValue(), Warnings: []string{"w"},
		Effects: &modules.Effects{
			SetVars: everyValue(), Include: everyValue(), AddGroups: []string{"g"}, Parents: []string{"p"},
			AddHosts: []modules.AddHost{{Name: "h", Groups: []string{"g"}, Vars: everyValue()}},
		},
	}}
	if got := roundTrip(t, kindReply, want); !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v\nwant %#v", got, want)
	}
}

func TestErrorRoundTrip(t *testing.T) {
	send := func(err error) error {
		m := roundTrip(t, kindReply, replyMsg{Error: encodeError(err)})
		return decodeError(m.Error)
	}
	for _, want := range []error{
		&modules.Failure{Msg: "m", Values: everyValue()},
		&modules.DefectError{Module: "x", Changes: []modules.Change{{Field: "f", Before: 1, After: 2.0}}},
		modules.ArgErrors{{Option: "mode", Message: "is odd", Hint: "h"}},
		&host.UnknownError{Reason: "r"},
		&PanicError{Module: "x", Value: "v", Stack: "s"},
	} {
		if got := send(want); !reflect.DeepEqual(got, want) {
			t.Errorf("got %#v, want %#v", got, want)
		}
	}
	if err := send(io.ErrClosedPipe); err.Error() != io.ErrClosedPipe.Error() {
		t.Error(err)
	}
	if err := send(errCancelledByUser); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := send(context.DeadlineExceeded); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	var f *modules.Failure
	err := send(&host.CommandError{Argv: []string{"apt"}, Output: host.Output{RC: 100, Stderr: []byte("no")}})
	if !errors.As(err, &f) || f.Values["rc"] != 100 || f.Values["stderr"] != "no" || !strings.Contains(f.Msg, "apt exited with 100") {
		t.Errorf("%#v", err)
	}
}

func TestFrameTooBig(t *testing.T) {
	var big *tooBigError
	if _, err := encodeFrame(kindRequest, requestMsg{Module: strings.Repeat("x", maxFrame)}); !errors.As(err, &big) {
		t.Errorf("got %v", err)
	}
	w := &wire{in: bufio.NewReader(strings.NewReader("\xff\xff\xff\xff\x01"))}
	if _, _, err := w.receive(); err == nil {
		t.Error("a frame of 4 GiB is read")
	}
}

// FuzzServe: whatever arrives, the agent ends without a crash.
func FuzzServe(f *testing.F) {
	for _, msg := range []struct {
		k    kind
		body any
	}{
		{kindRequest, requestMsg{ID: 1, Module: "echo", Args: everyValue(), Stream: true}},
		{kindCancel, idMsg{1}}, {kindShutdown, idMsg{}}, {kindPing, idMsg{}}, {kindChunk, chunkMsg{ID: 1, Data: []byte("x"), End: true}},
		{kindStored, storedMsg{ID: 1}}, {kindCredit, idMsg{1}},
	} {
		frame, err := encodeFrame(msg.k, msg.body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	f.Add([]byte("\x00\x00\x00\x05\x02\xa1\x61\x41"))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := newWorker(testmodules.Harmless(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		serve(t.Context(), w, helloMsg{}, bytes.NewReader(data), io.Discard, time.Minute)
	})
}

// FuzzDecode: no body makes the decoder crash, and what it accepts it can say
// again.
func FuzzDecode(f *testing.F) {
	frame, err := encodeFrame(kindReply, replyMsg{Result: modules.Result{Values: everyValue()}, Error: encodeError(io.EOF)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(frame[5:])
	f.Fuzz(func(t *testing.T, data []byte) {
		var m replyMsg
		if decode(data, &m) != nil {
			return
		}
		if _, err := encodeFrame(kindReply, m); err != nil {
			t.Errorf("decoded, but cannot be encoded: %v", err)
		}
		if m.Error != nil {
			_ = decodeError(m.Error).Error()
		}
	})
}
