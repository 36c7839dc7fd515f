// Package hirempire is the vendor's webhook contract as data and types:
// editions, operations, the error table, the seven events, their payloads, and
// the validation of request bodies.
//
// Nothing in here acts: no clock, no randomness, no network, no state. What the
// vendor does not document but a faithful stand-in has to settle is marked “our
// decision” where it stands.
package hirempire
