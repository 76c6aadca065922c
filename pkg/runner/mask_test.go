package runner

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/event"
)

func TestMaskForms(t *testing.T) {
	secret := `pa"ss w/örd&1'`
	var m masker
	m.add(secret)
	js, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for name, form := range map[string]string{
		"plain": secret, "json": strings.Trim(string(js), `"`), "go": strings.Trim(strconv.Quote(secret), `"`),
		"query": url.QueryEscape(secret), "path": url.PathEscape(secret), "base64": base64.StdEncoding.EncodeToString([]byte(secret)),
	} {
		if got := m.text("x " + form + " y"); got != "x "+hidden+" y" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestMaskLeavesShortTextAlone(t *testing.T) {
	var m masker
	m.add("no")
	if got := m.text("no one knows"); got != "no one knows" {
		t.Error(got)
	}
}

func TestMaskLongestFirst(t *testing.T) {
	var m masker
	m.add("secret")
	m.add("secret-and-more")
	if got := m.text("secret-and-more"); got != hidden {
		t.Error(got)
	}
}

// FuzzNoSecretReachesASink emits a result with a secret in every field.
func FuzzNoSecretReachesASink(f *testing.F) {
	f.Add("hunter22", "before ", " after")
	f.Add("a\"b\nc\\d", "", "")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		if len(secret) < minSecret || strings.Contains(hidden, secret) || strings.Contains(before+after, secret) {
			t.Skip()
		}
		m := &masker{}
		m.add(secret)
		text := before + secret + after
		var got []string
		e := newEmitter([]event.Sink{event.SinkFunc(func(e event.Event) {
			r := e.Body.(event.TaskResult)
			got = append(got, r.Msg, r.Reason, r.Warnings[0], r.Task.Name, r.Item.Label, r.Changes[0].Before.(string))
			list := r.Values["list"].([]any)
			got = append(got, list[0].(string))
		})}, m)
		e.emit(event.TaskResult{
			Task: event.TaskRef{Name: text}, Msg: text, Reason: text, Warnings: []string{text}, Item: &event.Item{Label: text},
			Changes: []event.Change{{Before: text, After: 1}}, Values: map[string]any{"list": []any{text}, text: 1},
		})
		for _, s := range got {
			// What is left around a mask may join to the secret again only if
			// the text around held its parts.
			if strings.Contains(s, secret) && !strings.Contains(before+hidden+after, secret) {
				t.Errorf("%q in %q", secret, s)
			}
		}
	})
}
