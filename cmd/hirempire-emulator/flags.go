package main

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/net/http/httpguts"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

// emulatorFlags are the flags of every command that makes an emulator.
type emulatorFlags struct {
	log              logFlags
	edition          string
	seed             string
	speed            string
	tokens           string
	scenarios        string
	fixtures         string
	challenge        string
	challengeTimeout time.Duration
	deliveryTimeout  time.Duration
	retries          int
	headers          []string
	consumerCA       string
	insecure         bool
}

// What a flag is that nobody gave, and that is left out of the command that repeats.
const (
	defaultSpeed            = "1"
	defaultChallengeTimeout = 5 * time.Second
	defaultDeliveryTimeout  = 10 * time.Second
)

func (f *emulatorFlags) add(flags *pflag.FlagSet, logLevel string) {
	flags.StringVar(&f.edition, "edition", string(hirempire.DefaultEdition), "`EDITION` of the contract")
	flags.StringVar(&f.seed, "seed", "", "whole `NUMBER` that all ids and faked values come from (default random)")
	flags.StringVar(&f.tokens, "tokens", "", "YAML `FILE` that adds to the tokens with a fixed fate and overrides them")
	flags.StringVar(&f.challenge, "challenge", "on", "`on|off`: off registers endpoints without a handshake")
	flags.DurationVar(&f.challengeTimeout, "challenge-timeout", defaultChallengeTimeout, "how long a consumer may take to answer a challenge")
	flags.DurationVar(&f.deliveryTimeout, "delivery-timeout", defaultDeliveryTimeout, "how long a consumer may take to answer a delivery")
	flags.IntVar(&f.retries, "retries", 0, "how many attempts follow one that was not successful, with exponential backoff")
	flags.StringArrayVar(&f.headers, "header", nil, "`NAME=VALUE` to add to every request to a consumer; may be repeated")
	flags.StringVar(&f.consumerCA, "consumer-ca", "", "PEM `FILE` of a CA to trust for https consumers")
	flags.BoolVar(&f.insecure, "insecure", false, "accept any certificate of an https consumer")
	f.log.add(flags, logLevel)
}

// addStories adds the flags of the commands that perform stories.
func (f *emulatorFlags) addStories(flags *pflag.FlagSet) {
	flags.StringVar(&f.speed, "speed", defaultSpeed, "how many seconds of a story pass in one: a `NUMBER`, or max to wait for nothing")
	flags.StringVar(&f.scenarios, "scenarios", "", "`DIR` of stories that add to the shipped ones and override them")
	flags.StringVar(&f.fixtures, "fixtures", "", "`DIR` of fixtures that stories may name")
}

// options reads the flags. What is wrong with a flag is an error of usage, what
// is wrong with a file one of the file.
func (f *emulatorFlags) options(a *app) (emulator.Options, error) {
	opts := emulator.Options{
		ChallengeTimeout: f.challengeTimeout,
		DeliveryTimeout:  f.deliveryTimeout,
		InContainer:      inContainer(a.getenv),
	}
	var err error
	if opts.Logger, err = f.log.logger(a.stderr); err != nil {
		return opts, err
	}
	if opts.Edition, err = hirempire.ParseEdition(f.edition); err != nil {
		return opts, &flagError{"edition", err}
	}
	if opts.Seed, err = parseSeed(f.seed); err != nil {
		return opts, err
	}
	if opts.Speed, err = emulator.ParseSpeed(f.speed); err != nil {
		return opts, &flagError{"speed", err}
	}
	switch f.challenge {
	case "on", "off":
		opts.SkipChallenge = f.challenge == "off"
	default:
		return opts, badFlag("challenge", "%q is neither on nor off", f.challenge)
	}
	for name, d := range map[string]time.Duration{"challenge-timeout": f.challengeTimeout, "delivery-timeout": f.deliveryTimeout} {
		if d <= 0 || d > time.Hour {
			return opts, badFlag(name, "%s is not above 0s and at most 1h", d)
		}
	}
	opts.InsecureConsumers = f.insecure
	if opts.Retries = f.retries; f.retries < 0 || f.retries > 100 {
		return opts, badFlag("retries", "%d is not from 0 to 100", f.retries)
	}
	if opts.Header, err = parseHeaders(f.headers); err != nil {
		return opts, err
	}
	if f.consumerCA != "" {
		if opts.ConsumerCAs, err = readCA(f.consumerCA); err != nil {
			return opts, invalid(&flagError{"consumer-ca", err})
		}
	}
	if f.tokens != "" {
		data, err := os.ReadFile(f.tokens)
		if err != nil {
			return opts, invalid(&flagError{"tokens", unreadable(f.tokens, err)})
		}
		tokens, err := fixtures.DefaultTokens().With(f.tokens, data)
		if err != nil {
			return opts, invalid(err)
		}
		opts.Tokens = &tokens
	}
	if opts.Scenarios, err = directory("scenarios", f.scenarios); err != nil {
		return opts, err
	}
	opts.Fixtures, err = directory("fixtures", f.fixtures)
	return opts, err
}

// parseHeaders reads name=value pairs.
func parseHeaders(pairs []string) (http.Header, error) {
	header := http.Header{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			return nil, badFlag("header", "%q is not name=value, such as X-Gateway-Key=secret", pair)
		case slices.Contains([]string{"Content-Length", "Transfer-Encoding", "Connection", "Host"}, http.CanonicalHeaderKey(name)):
			return nil, badFlag("header", "%s belongs to the connection and cannot be set", http.CanonicalHeaderKey(name))
		}
		header.Add(name, value)
	}
	return header, nil
}

// readCA returns the CAs of the system and those of a PEM file.
func readCA(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // as on systems that have none
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return pool, nil
}

// newEmulator builds an emulator; what it refuses stands in a file.
func (f *emulatorFlags) newEmulator(opts emulator.Options) (*emulator.Emulator, error) {
	e, err := emulator.New(opts)
	if err != nil {
		return nil, invalid(inDirectory(f.scenarios, err))
	}
	return e, nil
}

// again returns the flags that a command that repeats this one needs beside seed,
// start and edition.
func (f *emulatorFlags) again(token string) []string {
	var flags []string
	for _, flag := range [][3]string{
		{"--speed", cmp.Or(f.speed, defaultSpeed), defaultSpeed},
		{"--challenge-timeout", f.challengeTimeout.String(), defaultChallengeTimeout.String()},
		{"--delivery-timeout", f.deliveryTimeout.String(), defaultDeliveryTimeout.String()},
		{"--token", token, defaultToken}, {"--challenge", f.challenge, "on"}, {"--fixtures", f.fixtures}, {"--tokens", f.tokens}, {"--consumer-ca", f.consumerCA},
	} {
		if flag[1] != flag[2] {
			flags = append(flags, flag[0], flag[1])
		}
	}
	if f.retries > 0 {
		flags = append(flags, "--retries", strconv.Itoa(f.retries))
	}
	for _, h := range f.headers {
		flags = append(flags, "--header", h)
	}
	if f.insecure {
		flags = append(flags, "--insecure")
	}
	return flags
}

// directory opens the directory that a flag names, nil if it names none.
func directory(flag, dir string) (fs.FS, error) {
	if dir == "" {
		return nil, nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, invalid(&flagError{flag, unreadable(dir, err)})
	}
	if !info.IsDir() {
		return nil, invalid(badFlag(flag, "%s is no directory", dir))
	}
	if flag == "scenarios" { // which are listed; fixtures are named
		if _, err := os.ReadDir(dir); err != nil {
			return nil, invalid(&flagError{flag, unreadable(dir, err)})
		}
	}
	return os.DirFS(dir), nil
}

// unreadable says why a file cannot be read, without the name of the system call.
func unreadable(file string, err error) error {
	return fmt.Errorf("cannot read %s: %w", oneLined(file), cause(err))
}

// cause leaves out the names of the system call and of its file or address.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		err = e.Err
	}
	return err
}

// checkAddr refuses what no listener could listen on.
func checkAddr(addr string) error { return checkAddress("addr", addr) }

func checkAddress(flag, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if _, bad := strconv.ParseUint(addr, 10, 16); bad == nil {
		return badFlag(flag, "%q is no address, did you mean :%s or 127.0.0.1:%s?", addr, addr, addr)
	}
	if err != nil {
		return badFlag(flag, "%q is no address such as %s", addr, defaultAddr)
	}
	return nil
}

// checkURL refuses what is no consumer's URL.
func checkURL(url string) error {
	if _, ok := hirempire.ParseRequestURL(url); !ok {
		return fmt.Errorf("%q is no absolute http or https URL, such as http://localhost:3000/webhook", url)
	}
	return nil
}

// cannotListen says what to do about an address that a flag gave, or the
// variable that Main names instead of the flag.
func (a *app) cannotListen(flag, addr string, err error) error {
	err = fmt.Errorf("cannot listen on %s: %w; choose another with --%s", addr, cause(err), flag)
	if a.variables[flag] != "" {
		err = &flagError{flag, err}
	}
	return failed(err)
}

// reachable returns the address at which a client on this machine finds a
// listener: one that means every interface is no address to call.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// baseURL is where a client on this machine finds an emulator that listens.
func baseURL(e *emulator.Emulator) string { return reachableURL(e.URL()) }

// reachableURL is [reachable] for an http URL.
func reachableURL(url string) string {
	if url == "" {
		return ""
	}
	addr, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	if path != "" {
		path = "/" + path
	}
	return "http://" + reachable(addr) + path
}

// parseSeed reads a seed; the empty text is none.
func parseSeed(text string) (*uint64, error) {
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, badFlag("seed", "%q is no whole number from 0 to 18446744073709551615", text)
	}
	return &n, nil
}

// parseStart reads the start of a run's clock; the empty text is none.
func parseStart(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return nil, badFlag("start", "%q is no time such as 2026-01-30T00:00:00Z", text)
	}
	return &t, nil
}
