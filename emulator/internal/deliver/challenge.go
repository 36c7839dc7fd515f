package deliver

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// Challenge sends one challenge to a registered URL, twice if it is to be odd in
// that way, and judges the answer. If the context ended, the error is its cause.
func (d *Deliverer) Challenge(ctx context.Context, requestURL, value string, odd scenario.ChallengeFault) (journal.Challenge, error) {
	return d.challenge(ctx, requestURL, value, odd, d.cfg.Clock.Sleep)
}

func (d *Deliverer) challenge(ctx context.Context, requestURL, value string, odd scenario.ChallengeFault,
	pause func(context.Context, time.Duration) error) (journal.Challenge, error) {
	c := journal.Challenge{At: d.cfg.Clock.Now(), RequestURL: requestURL, Expected: value, Faults: oddities(odd)}
	if err := pause(ctx, odd.Delay); err != nil {
		return c, err
	}
	body := hirempire.NewChallenge(value)
	body.Type = cmp.Or(odd.Type, body.Type)
	r := request{url: requestURL, body: hirempire.Marshal(body), timeout: d.cfg.ChallengeTimeout}
	if odd.Rate > 0 {
		r.wire, r.rate = scenario.Slow, odd.Rate
	}
	times := 1
	if odd.Twice {
		times = 2
	}
	for range times {
		a, err := d.client.post(ctx, r)
		if err == nil && a.Cause == "" {
			a.Cause, a.Detail = judge(a, value, d.cfg.ChallengeTimeout.String())
		}
		c.Received, c.Passed = a.Exchange, err == nil && a.Cause == ""
		if a.Cause != "" {
			c.Hint = d.hint(a.Exchange, requestURL, value)
		}
		if !c.Passed {
			return c, err
		}
	}
	return c, nil
}

// oddities names what is odd about a challenge on purpose.
func oddities(odd scenario.ChallengeFault) []journal.Fault {
	var faults []journal.Fault
	if odd.Twice {
		faults = append(faults, journal.Fault{Kind: "twice"})
	}
	if odd.Delay > 0 {
		faults = append(faults, journal.Fault{Kind: "delay", Detail: odd.Delay.String()})
	}
	if odd.Rate > 0 {
		faults = append(faults, journal.Fault{Kind: "slow", Detail: fmt.Sprintf("%d bytes a second", odd.Rate)})
	}
	if odd.Type != "" {
		faults = append(faults, journal.Fault{Kind: "type", Detail: odd.Type})
	}
	return faults
}

// EnqueueChallenge puts a challenge at the end of a webhook's queue, so that it
// comes between the deliveries. It is not counted as one of them: of the delivery
// only what says whose it is counts. What becomes of it is told to done; if it was
// given up, with the cause.
func (d *Deliverer) EnqueueChallenge(ctx context.Context, hook workspace.Webhook, of journal.Delivery, value string, odd scenario.ChallengeFault,
	pause func(context.Context, time.Duration) error, done func(journal.Challenge, error)) {
	of.Webhook, of.RequestURL = hook.ID, hook.RequestURL
	it := &item{Delivery: &of, Handling: Handling{Pause: pause, Concurrency: 1}}
	it.challenge = func(ctx context.Context) {
		done(d.challenge(ctx, hook.RequestURL, value, odd, func(ctx context.Context, late time.Duration) error {
			return d.pause(ctx, it, late)
		}))
	}
	d.enqueue(ctx, it)
}

// judge says what is wrong with a 2xx answer to a challenge, nothing if it is right.
func judge(a answer, value, timeout string) (journal.Cause, string) {
	body := bytes.Trim(a.body, " \t\r\n") // what JSON takes for white space
	var object map[string]json.RawMessage
	var text string
	notJSON := json.Unmarshal(body, &object)
	switch {
	case len(a.body) > MaxAnswerBytes:
		return journal.TooLarge, fmt.Sprintf("the answer is larger than %d KiB", MaxAnswerBytes>>10)
	case a.cut != nil && a.timedOut:
		return journal.Ambiguous, "the body of the answer was not complete within " + timeout
	case a.cut != nil:
		return journal.NoAnswer, "the body of the answer broke off: " + a.cut.Error()
	case string(body) == value:
		return journal.BareText, "the value came back as bare text instead of in a JSON object"
	case len(body) == 0:
		return journal.NotJSON, "the body of the answer is empty"
	case json.Unmarshal(body, &text) == nil && text == value:
		return journal.BareText, "the value came back as a bare JSON string instead of in a JSON object"
	case !json.Valid(body):
		return journal.NotJSON, "the answer is not JSON: " + notJSON.Error()
	case notJSON != nil || object == nil:
		return journal.NotJSON, "the answer is JSON but not an object"
	}
	raw, ok := object["challenge"]
	if !ok {
		return journal.NoChallengeKey, noKey(object)
	}
	if json.Unmarshal(raw, &text) != nil || string(raw) == "null" {
		return journal.Altered, "challenge is not a string: " + clip(string(raw), 100)
	}
	if text != value {
		return journal.Altered, alteration(text, value)
	}
	return "", ""
}

func noKey(object map[string]json.RawMessage) string {
	for key := range object {
		if strings.EqualFold(strings.TrimSpace(key), "challenge") {
			return fmt.Sprintf("the answer has the key %q, which must be spelled challenge", key)
		}
	}
	for key, raw := range object {
		var inner map[string]json.RawMessage
		if json.Unmarshal(raw, &inner) == nil && inner["challenge"] != nil {
			return fmt.Sprintf("challenge is inside %q, it must be at the top of the object", clip(key, 50))
		}
	}
	return "the answer has no key challenge"
}

func alteration(got, want string) string {
	shown := fmt.Sprintf("%q came back, %q was sent", clip(got, 100), want)
	switch {
	case strings.TrimSpace(got) == want:
		return "white space was added: " + shown
	case strings.EqualFold(got, want):
		return "upper and lower case were changed: " + shown
	case got == "":
		return "challenge came back empty"
	case strings.Contains(got, want):
		return "something was added: " + shown
	case strings.HasPrefix(want, got):
		return "it was cut short: " + shown
	default:
		return shown
	}
}

// hint says what to do about a failed challenge.
func (d *Deliverer) hint(got journal.Exchange, requestURL, value string) string {
	switch status := got.Status; got.Cause {
	case journal.Unreachable:
		if u, err := url.Parse(requestURL); err == nil && d.cfg.InContainer && loopbackHost(u.Hostname()) {
			return inContainerHint(u)
		}
		return "Is the consumer running, and is this its address as seen from the emulator?"
	case journal.Forbidden:
		return "Register a URL at another address."
	case journal.TLS:
		return hintTLS(got.Detail, requestURL)
	case journal.Timeout, journal.Ambiguous:
		return "Answer the challenge before doing anything slow; the time-out is set with --challenge-timeout."
	case journal.NoAnswer, journal.BadAnswer:
		return "Does the consumer speak HTTP at this port, and does its handler survive the challenge? Look at its log."
	case journal.Redirect:
		return "Register the URL that the redirect leads to; mind a trailing slash and http against https."
	case journal.Non2xx:
		switch {
		case status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented:
			return "Is the path of the URL right, and does the consumer take POST there?"
		case status >= 500:
			return "The consumer failed; its own log says why. Answer the challenge with 200."
		}
		return "Answer the challenge with 200: no authentication, CSRF check or event validation before it."
	case journal.TooLarge:
		return "Answer with the challenge alone."
	default:
		return fmt.Sprintf(`Answer exactly {"challenge":"%s"}, as JSON.`, value)
	}
}

// hintTLS goes by the words of crypto/tls and crypto/x509: the errors are gone.
func hintTLS(detail, requestURL string) string {
	says := func(text string) bool { return strings.Contains(detail, text) }
	switch {
	case says("does not look like a TLS handshake"):
		return "The consumer speaks plain HTTP there: register http" + strings.TrimPrefix(requestURL, "https") + "."
	case says("expired or is not yet valid"):
		return "Renew the consumer's certificate and, if it is one of your own, trust it with --consumer-ca FILE; --insecure accepts any."
	case says("cannot validate certificate for"), says("certificate is valid for"), says("certificate is not valid for"):
		return "Register the host that the consumer's certificate is for, or make one for this host and trust it with --consumer-ca FILE; --insecure accepts any."
	case says("unknown authority"), says("certificate is not trusted"), says("certificate"):
		return "Trust the consumer's certificate, or the CA that signed it, with --consumer-ca FILE; --insecure accepts any. For local work register an http URL."
	default:
		return "Does the consumer speak TLS 1.2 or later at this port? For local work register an http URL."
	}
}

// loopbackHost reports whether the host is the machine, or container, itself.
func loopbackHost(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().IsLoopback() || a.IsUnspecified()
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func inContainerHint(u *url.URL) string {
	at := func(host string) string {
		moved := *u
		moved.Host = host
		if u.Port() != "" {
			moved.Host += ":" + u.Port()
		}
		return moved.String()
	}
	return fmt.Sprintf("Is the consumer running? Inside a container, as here, %s is the container itself. Register %s for a consumer on the host, "+
		"or its Compose service name, such as %s, for one in another container.", u.Hostname(), at("host.docker.internal"), at("consumer"))
}
