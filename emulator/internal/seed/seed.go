// Package seed is where every id and every random draw comes from.
//
// There is no shared stream: each draw has a [Key], and the same seed and key
// give the same draw on any machine, in any order, from any goroutine. That is
// what makes a run repeatable byte for byte whatever its consumers do.
package seed

import (
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
)

// A Seed starts all draws. Every value is a seed of its own, zero included.
type Seed uint64

// Random returns a seed nobody chose. It is at most ten digits long, so that it
// can be read out and typed again.
func Random() Seed {
	var b [4]byte
	_, _ = crand.Read(b[:]) // never fails
	return Seed(binary.LittleEndian.Uint32(b[:]))
}

// Key returns the key of the draws of one kind, to be narrowed with [Key.Str]
// and [Key.Num].
func (s Seed) Key(kind string) Key {
	return Key{uint64(s), ^uint64(s)}.Str(kind)
}

// A Key names one draw. It is a value: narrowing it makes another one.
type Key struct{ a, b uint64 }

// Str narrows the key by a name.
func (k Key) Str(s string) Key {
	k = k.Num(uint64(len(s)))
	for len(s) >= 8 {
		k = k.Num(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56)
		s = s[8:]
	}
	var tail uint64
	for i := range len(s) {
		tail |= uint64(s[i]) << (8 * i)
	}
	return k.Num(tail)
}

// Num narrows the key by a number.
func (k Key) Num(n uint64) Key {
	return Key{mix(k.a ^ n), mix(k.b + n*0x9e3779b97f4a7c15 + 1)}
}

// mix is the finalizer of SplitMix64: a bijection in which every bit of the
// argument moves every bit of the result.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// Source returns the stream of draws under the key.
func (k Key) Source() *rand.PCG { return rand.NewPCG(k.a, k.b) }

// Rand returns the stream of draws under the key.
func (k Key) Rand() *rand.Rand { return rand.New(k.Source()) }

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"

// Text returns n characters of [a-z0-9].
func (k Key) Text(n int) string {
	return string(k.appendText(make([]byte, 0, 32), n))
}

// ID returns the prefix and 18 characters of [a-z0-9].
func (k Key) ID(prefix string) string {
	return string(k.appendText(append(make([]byte, 0, 32), prefix...), 18))
}

func (k Key) appendText(b []byte, n int) []byte {
	r := rand.NewPCG(k.a, k.b)
	for range n {
		// The bias of a remainder of 64 bits by 36 is under 2e-18.
		b = append(b, alphabet[r.Uint64()%uint64(len(alphabet))])
	}
	return b
}

// UUID returns a UUID of version 4.
func (k Key) UUID() string {
	r := rand.NewPCG(k.a, k.b)
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], r.Uint64())
	binary.BigEndian.PutUint64(b[8:], r.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	const hex = "0123456789abcdef"
	out := make([]byte, 0, 36)
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, hex[c>>4], hex[c&15])
	}
	return string(out)
}
