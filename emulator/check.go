package emulator

import (
	"cmp"
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/check"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// CheckInfo describes a check of a consumer: what it stands on, why it matters,
// what to do if it fails.
type CheckInfo = check.Info

// CheckResult is a check and what it came to.
type CheckResult = check.Result

// CheckFinding is one thing that was not as it should be.
type CheckFinding = check.Finding

// CheckReport is what [Check] found out about a consumer.
type CheckReport = check.Report

// CheckVerdict is what a check came to.
type CheckVerdict = check.Verdict

// The verdicts. A warning is not a failure, and earns half of the points.
const (
	CheckPassed  = check.Passed
	CheckWarned  = check.Warned
	CheckFailed  = check.Failed
	CheckSkipped = check.Skipped
)

// UnreachableError is the error of [Check] where there is no consumer.
type UnreachableError = check.UnreachableError

// UnknownCheckError is the error of [Check] about an id that there is not.
type UnknownCheckError = check.UnknownError

// Checks describes every check, in the order in which [Check] tries them.
func Checks() []CheckInfo { return check.Checks() }

// CheckOptions say whom to check, and how. All but URL may be left out.
type CheckOptions struct {
	URL        string
	Only, Skip []string // ids of checks; default: all, none
	// Edition decides what ids in payloads look like; default [hirempire.DefaultEdition].
	Edition hirempire.Edition
	Seed    *uint64    // of ids and challenges; default: random
	Start   *time.Time // when the first event occurred; default: now
	// ChallengeTimeout bounds a challenge; default 5 s.
	ChallengeTimeout time.Duration
	// DeliveryTimeout is how long an answer to an event may take; default 10 s. It is
	// waited for twice as long, so that a late consumer is not called a silent one.
	DeliveryTimeout time.Duration
	// Within is how long 99 of 100 answers should take at most; default 5 s.
	Within time.Duration
	// Limit is how long all of it may take; default 5 min. What does not get its turn
	// is skipped.
	Limit             time.Duration
	Header            http.Header    // added to every request
	ConsumerCAs       *x509.CertPool // trusted for https; default: those of the system
	InsecureConsumers bool           // accepts any certificate
	// DialContext opens connections; default: the network.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// InContainer makes hints explain what localhost is inside a container.
	InContainer bool
	// Told is called with each result, as soon as it is there; nil is fine.
	Told func(CheckResult)
}

// Check examines any consumer with challenges and events that are sent directly:
// nothing is registered, and no emulator is needed. The same seed and start give
// the same requests in the same order, but for those that go out at the same time.
// There are a few hundred, at most fifty at a time.
//
// The error is an [*UnreachableError], an [*UnknownCheckError], one about the URL or
// the header, or the cause of ctx's end; then the report holds the results so far, and the rest
// as skipped.
func Check(ctx context.Context, o CheckOptions) (CheckReport, error) {
	if _, err := hirempire.ParseEdition(string(o.Edition)); err != nil {
		return CheckReport{}, err
	}
	if err := checkHeader(o.Header); err != nil {
		return CheckReport{}, err
	}
	root := seed.Random()
	if o.Seed != nil {
		root = seed.Seed(*o.Seed)
	}
	if o.Start == nil {
		now := RealClock().Now().UTC().Truncate(time.Millisecond)
		o.Start = &now
	}
	if o.Told == nil {
		o.Told = func(CheckResult) {}
	}
	return check.Run(ctx, check.Config{
		URL: o.URL, Only: o.Only, Skip: o.Skip, Edition: cmp.Or(o.Edition, hirempire.DefaultEdition), Seed: root, Start: *o.Start, Header: o.Header,
		RootCAs: o.ConsumerCAs, Insecure: o.InsecureConsumers, Dial: o.DialContext, ChallengeTimeout: o.ChallengeTimeout, Timeout: o.DeliveryTimeout,
		Within: o.Within, Limit: o.Limit, InContainer: o.InContainer,
	}, o.Told)
}
