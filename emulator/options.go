package emulator

import (
	"context"
	"crypto/x509"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

// Clock tells an emulator the time and lets it pass; see [RealClock] and
// [NewManualClock].
type Clock = clock.Clock

// ManualClock is a [Clock] that stands still until it is advanced.
type ManualClock = clock.Manual

// RealClock returns the machine's clock.
func RealClock() Clock { return clock.Real{} }

// NewManualClock returns a clock that stands at start.
func NewManualClock(start time.Time) *ManualClock { return clock.NewManual(start) }

// Speed is how many seconds of a run pass in one second of the clock.
type Speed = clock.Speed

// MaxSpeed makes a run wait for nothing.
const MaxSpeed = clock.Max

// ParseSpeed reads a positive number or "max"; the empty text is 1.
func ParseSpeed(text string) (Speed, error) { return clock.ParseSpeed(text) }

// Options say what an emulator is like. The zero value is a working emulator
// without a listener: everything left out has the default that its comment names.
type Options struct {
	// Addr is where [Emulator.Start] listens, such as 127.0.0.1:8080; port 0
	// takes a free one. Empty: it listens nowhere, see [Emulator.Handler].
	Addr string
	// ControlAddr is where the control API is served instead of there; [ControlOff]:
	// nowhere. Empty: at the same addresses as the vendor's API.
	ControlAddr string
	// TLSAddr is where it listens for HTTPS, HTTP/1.1 and HTTP/2; empty: nowhere.
	TLSAddr string
	// TLSDir is where the CA of the HTTPS listener is kept, made there if need be;
	// empty: it ends with the emulator.
	TLSDir string
	// TLSHosts are names and addresses that the certificate is for, beside
	// api.hirempire.com, localhost and the loopback addresses.
	TLSHosts []string
	// Edition of the contract; default [hirempire.DefaultEdition].
	Edition hirempire.Edition
	// Tokens with a fixed fate and the pattern of the accepted ones; default
	// [fixtures.DefaultTokens].
	Tokens *fixtures.Tokens
	// Seed of all ids, and of runs over HTTP that name none, before that of their
	// story; default: random, and the story's.
	Seed *uint64
	// Speed of runs; default 1.
	Speed Speed
	// Play names a scenario that is performed in a workspace after each registration
	// over HTTP; default: none.
	Play string
	// Scenarios is searched for *.yaml and *.yml stories, which add to the shipped
	// ones and override those of the same name; nil: only the shipped ones.
	Scenarios fs.FS
	// Fixtures is searched for the fixtures that a scenario names, after the
	// scenario's own directory and before the embedded ones; nil: nowhere.
	Fixtures fs.FS

	// RateLimit is how many calls of the vendor's API a workspace may make in an
	// hour; default: any number.
	RateLimit int
	// RequirePublicURL refuses to register endpoints that only this machine or
	// network has: addresses that are not public, localhost, names without a dot.
	RequirePublicURL bool
	// SkipChallenge registers endpoints without a handshake.
	SkipChallenge bool
	// ChallengeTimeout bounds a challenge; default 5 s (our decision).
	ChallengeTimeout time.Duration
	// DeliveryTimeout bounds an attempt of a delivery; default 10 s (our decision).
	DeliveryTimeout time.Duration
	// Retries is how many attempts follow one that was not successful, each after a
	// pause that doubles to an hour, on the run's clock; from 0 to 100. Default
	// none, since the vendor documents none.
	Retries int
	// Faults of the API are armed from the start, and again by a reset.
	Faults []scenario.APIFault
	// Header is added to every request to a consumer, such as what its gateway
	// asks for.
	Header http.Header
	// ConsumerCAs are trusted for https consumers; default: those of the system.
	ConsumerCAs *x509.CertPool
	// InsecureConsumers accepts any certificate of an https consumer.
	InsecureConsumers bool
	// Journal is a file to which what is settled is appended, as JSON lines; it is
	// opened by [New] and mended if its last line is torn. Empty: none.
	Journal string
	// InContainer makes hints explain what localhost is inside a container.
	InContainer bool

	// AllowHosts are names under which the control API answers beside addresses,
	// localhost and names without a dot.
	AllowHosts []string
	Limits     Limits

	// Clock is the time of the process; default [RealClock]. Time-outs and
	// measured durations are always real.
	Clock Clock
	// DialContext opens connections to consumers; default: the network.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Listen opens the listeners of [Emulator.Start]; default: the network.
	Listen func(ctx context.Context, network, address string) (net.Listener, error)
	// Logger gets what happens; default: nothing is logged.
	Logger *slog.Logger
}

// ControlOff as [Options.ControlAddr] leaves the control API out.
const ControlOff = "off"

// Limits bound what grows with use. Zero means the default.
type Limits struct {
	Workspaces          int // that are remembered with webhooks; default 10,000
	Webhooks            int // of one workspace; default 100
	Runs                int // under way, and as many that have ended; default 100
	Challenges          int // in progress in all; default 256
	WorkspaceChallenges int // in progress in one workspace; default 16
	QueuedDeliveries    int // at one webhook, before who emits waits; default 10,000
	QueuedBytes         int // of payload at one webhook, before who emits waits; default 64 MiB
	JournalEntries      int // of one workspace; default 1,000
	JournalBytes        int // of one workspace, about; default 8 MiB
	AllJournalBytes     int // of the deliveries of all workspaces, about; default 64 MiB
	AllCallBytes        int // of the calls and challenges of all workspaces, about; default 512 KiB
	Connections         int // open at once, before the longest idle one is closed; default 4,096
	Streams             int // that are followed at once; default 256
	StreamBytes         int // of what they may resume from, about; default 16 MiB, 256 KiB before the first
	Faults              int // of the API that are armed at once; default 1,000
}

// checkHeader says which header cannot be written.
func checkHeader(h http.Header) error {
	for name, values := range h {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("%q is not the name of a header", name)
		}
		if !slices.ContainsFunc(values, func(v string) bool { return !httpguts.ValidHeaderFieldValue(v) }) {
			continue
		}
		return fmt.Errorf("the header %s has a value that cannot be written", name)
	}
	return nil
}
