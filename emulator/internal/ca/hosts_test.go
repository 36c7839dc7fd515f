package ca_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestNamesAndAddresses(t *testing.T) {
	t.Parallel()
	c := certificate(t, memory(t), "API.hirempire.com", "localhost", "127.0.0.1", "api.hirempire.com", "::ffff:127.0.0.1",
		"::1", "0:0::1", "my_emulator", "xn--bcher-kva.example", "*.Shop.test", "3com.example", strings.Repeat("a.", 126)+"a").Leaf
	if got, want := fmt.Sprint(c.DNSNames), "[api.hirempire.com localhost my_emulator xn--bcher-kva.example *.shop.test 3com.example "+strings.Repeat("a.", 126)+"a]"; got != want {
		t.Errorf("the names are %s, not %s", got, want)
	}
	if got, want := fmt.Sprint(c.IPAddresses), "[127.0.0.1 ::1]"; got != want {
		t.Errorf("the addresses are %s, not %s", got, want)
	}
}

func TestHostsThatAreNone(t *testing.T) {
	t.Parallel()
	authority := memory(t)
	const alone, characters, dot = "alone, without scheme", "xn-- form", "a dot stands"
	for host, why := range map[string]string{
		"":                        "it is empty",
		"localhost:8443":          alone,
		"127.0.0.1:8443":          alone,
		"[::1]":                   alone,
		"[::1]:8443":              alone,
		"fe80::1%eth0":            alone,
		"https://localhost":       alone,
		"localhost/v1":            alone,
		"me@localhost":            alone,
		"my emulator":             characters,
		" localhost":              characters,
		"localhost\n":             characters,
		"bücher.example":          characters,
		"\u212aube":               characters, // in lower case it would be plain
		"a\x00b":                  characters,
		".localhost":              dot,
		"localhost.":              dot,
		"api..test":               dot,
		".":                       dot,
		"-api.test":               "a hyphen stands",
		"api-.test":               "a hyphen stands",
		strings.Repeat("a", 64):   "at most 63 characters",
		strings.Repeat("a.", 127): "at most 253 characters",
		"*":                       "a star stands for",
		"a*.example.com":          "a star stands for",
		"api.*.com":               "a star stands for",
		"*.*.example.com":         "a star stands for",
		"*.":                      dot,
		"*.test":                  "no star before a single label",
		"127.0.0.256":             "no IP address",
		"127.1":                   "no IP address",
		"2130706433":              "no IP address",
		"*.10":                    "no IP address",
	} {
		_, err := authority.Certificate("localhost", host)
		says(t, err, fmt.Sprintf("host %q: ", host), why)
	}
	_, err := authority.Certificate("a b", "localhost", "c d")
	says(t, err, `host "a b"`, `host "c d"`)
	_, err = authority.Certificate()
	says(t, err, "needs a host")
}
