package scenario

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

var (
	faultKeys     = []string{"operation", "error", "status", "body", "drop", "delay", "challenge", "times", "token"}
	challengeKeys = []string{"twice", "delay", "slow", "type"}
)

const (
	maxChallengeType = 100
	// Statuses below are no answers of their own.
	minStatus, maxStatus = 200, 599
)

// What the API has, in any edition: a story is performed in all of them.
var (
	operations = sync.OnceValue(func() []string {
		var all []string
		for _, e := range hirempire.Editions() {
			for _, op := range hirempire.Operations(e) {
				if !slices.Contains(all, string(op)) {
					all = append(all, string(op))
				}
			}
		}
		return all
	})
	// errorCodes are by operation; those of all stand at the empty one.
	errorCodes = sync.OnceValue(func() map[hirempire.Operation][]string {
		codes := make(map[hirempire.Operation][]string)
		for _, e := range hirempire.Editions() {
			for _, row := range hirempire.Errors(e) {
				for _, op := range []hirempire.Operation{row.Operation, ""} {
					if !slices.Contains(codes[op], row.Code) {
						codes[op] = append(codes[op], row.Code)
					}
				}
			}
		}
		return codes
	})
)

// ParseAPIFault reads what stands under `fault` of a step, for callers that have
// no story: a JSON object, in which a key that is null counts as left out, but for
// `body`. A fault comes back exactly when no problem is an error; positions mean
// nothing here.
func ParseAPIFault(data []byte) (APIFault, []Problem) {
	p := &parser{collector: collector{file: "fault"}}
	root := p.fromJSON(data)
	if root == nil {
		root = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	var f APIFault
	if len(p.problems) == 0 {
		withoutNulls(root, slices.DeleteFunc(slices.Clone(faultKeys), func(k string) bool { return k == "body" }))
		f, _ = p.apiFault(root)
		f.Pos = Position{}
	}
	problems := p.sorted()
	if HasErrors(problems) {
		return APIFault{}, problems
	}
	return f, problems
}

// apiFault reads what is armed for calls of the API, and reports whether all of
// it is right.
func (p *parser) apiFault(n *yaml.Node) (APIFault, bool) {
	f := APIFault{Pos: p.at(n), Times: 1}
	keys, lost, good := p.mapping(n, "`fault`", "{operation: create-webhook, error: token-expired}", faultKeys)
	if !good {
		return f, false
	}
	const effects = "`error`, `status`, `drop`, `challenge` or `delay`"
	if len(n.Content) == 0 {
		p.errorf(n, "missing-key", "`fault` is empty; give it an `operation` and %s", effects)
		return f, false
	}
	good = !lost
	read := func(key string, reader func(n *yaml.Node, what string) bool) {
		if e, ok := keys[key]; ok && !reader(e.value, code(key)) {
			good = false
		}
	}
	if _, ok := keys["operation"]; !ok && !lost {
		p.errorf(n, "missing-key", "`fault` needs an `operation`, which says what call it is for")
		good = false
	}
	read("operation", func(n *yaml.Node, what string) (ok bool) {
		f.Operation, ok = p.operation(n, what)
		return ok
	})
	read("error", func(n *yaml.Node, what string) (ok bool) {
		f.Error, ok = p.errorCode(n, what, f.Operation)
		return ok
	})
	read("status", func(n *yaml.Node, what string) (ok bool) {
		f.Status, ok = p.whole(n, what, minStatus, maxStatus)
		return ok
	})
	read("body", func(n *yaml.Node, what string) (ok bool) {
		f.Body, ok = p.body(n, what)
		return ok
	})
	read("drop", func(n *yaml.Node, what string) (ok bool) {
		f.Drop, ok = p.drop(n, what)
		return ok
	})
	read("delay", func(n *yaml.Node, what string) (ok bool) {
		f.Delay, ok = p.atMost(n, what, MaxFaultDelay)
		return ok
	})
	read("challenge", func(n *yaml.Node, _ string) (ok bool) {
		f.Challenge = new(ChallengeFault)
		if kindOf(n) != "" {
			*f.Challenge, ok = p.challenge(n)
		}
		if (ok || kindOf(n) == "") && *f.Challenge == (ChallengeFault{}) {
			p.errorf(n, "missing-key", "`challenge` changes nothing; give it `twice`, `delay`, `slow` or `type`, or leave it out")
			ok = false
		}
		return ok
	})
	read("times", func(n *yaml.Node, what string) (ok bool) {
		f.Times, ok = p.whole(n, what, 1, MaxTimes)
		return ok
	})
	read("token", func(n *yaml.Node, what string) (ok bool) {
		if f.Token, ok = p.text(n, what); ok && !hirempire.IsToken(f.Token) {
			p.errorf(n, "bad-value", "%s is no token; a token is of visible ASCII characters, at most %d", what, hirempire.MaxTokenBytes)
			return false
		}
		return ok
	})
	p.answers(n, &f, keys)
	if good && f.Error == "" && f.Status == 0 && f.Drop == "" && f.Challenge == nil && f.Delay == 0 && keys["body"].value == nil {
		p.errorf(n, "missing-key", "nothing goes wrong with this `fault`; give it %s", effects)
		good = false
	}
	return f, good
}

// answers checks which parts of a fault go together.
func (p *parser) answers(n *yaml.Node, f *APIFault, keys map[string]entry) {
	first := ""
	for _, e := range entries(n) {
		switch e.name {
		case "drop":
			if kindOf(e.value) == hirempire.Boolean && f.Drop == "" {
				continue
			}
			fallthrough
		case "error", "status", "challenge":
			if first != "" {
				p.errorf(e.key, "misplaced-key", "%s cannot stand beside %s: a fault is one of `error`, `status`, `drop` and `challenge`; make it two faults", code(e.name), code(first))
				continue
			}
			first = e.name
		}
	}
	if body, ok := keys["body"]; ok {
		switch _, status := keys["status"]; {
		case !status:
			p.errorf(body.key, "missing-key", "`body` needs `status`, with which it is answered")
		case f.Status == 204 || f.Status == 304:
			p.errorf(body.key, "misplaced-key", "an answer with status %d has no `body`", f.Status)
		}
	}
	if challenge, ok := keys["challenge"]; ok && f.Operation != "" && !challenges(f.Operation) {
		p.errorf(challenge.key, "misplaced-key", "`challenge` belongs to `%s` and `%s`; `%s` sends none", hirempire.CreateWebhook, hirempire.UpdateWebhook, f.Operation)
	}
}

// challenges reports whether the operation sends a challenge.
func challenges(op hirempire.Operation) bool {
	return op == hirempire.CreateWebhook || op == hirempire.UpdateWebhook
}

// operation reads the name of an operation that at least one edition has.
func (p *parser) operation(n *yaml.Node, what string) (hirempire.Operation, bool) {
	name, ok := p.wordLike(n, what, string(hirempire.CreateWebhook))
	if ok && !slices.Contains(operations(), name) {
		p.errorf(n, "unknown-operation", "unknown operation %s%s", code(name), p.didYouMean(name, operations()))
		return "", false
	}
	return hirempire.Operation(name), ok
}

// errorCode reads the code of an error that the operation has in at least one
// edition, or one of the other words that are possible.
func (p *parser) errorCode(n *yaml.Node, what string, op hirempire.Operation, others ...string) (string, bool) {
	name, ok := p.wordLike(n, what, hirempire.TokenExpired)
	known := errorCodes()[op]
	if !ok || slices.Contains(known, name) || slices.Contains(others, name) {
		return name, ok
	}
	of := ""
	if op != "" {
		of = " of `" + string(op) + "`"
	}
	hint := p.didYouMean(name, slices.Concat(known, others))
	if len(known)+len(others) == 0 {
		hint = ", which has none"
	}
	p.errorf(n, "unknown-error", "unknown error %s%s%s", code(name), of, hint)
	return "", false
}

// body reads the body of an answer: a string is its text, anything else is JSON.
func (p *parser) body(n *yaml.Node, what string) ([]byte, bool) {
	if kindOf(n) == hirempire.String {
		text, ok := p.text(n, what)
		return []byte(text), ok
	}
	return p.anything(n, what)
}

// drop reads how the connection is cut.
func (p *parser) drop(n *yaml.Node, what string) (string, bool) {
	const closed = "close"
	switch {
	case kindOf(n) == hirempire.Boolean && strings.EqualFold(n.Value, "true"):
		return closed, true
	case kindOf(n) == hirempire.Boolean:
		return "", true
	case kindOf(n) != hirempire.String || isDoubtful(n):
		p.errorf(n, "wrong-type", "%s must be `true`, `false`, `close` or `reset`, %s", what, found(n))
		return "", false
	}
	return p.word(n, what, []string{closed, string(Reset)})
}

// challenge reads what is odd about a challenge.
func (p *parser) challenge(n *yaml.Node) (ChallengeFault, bool) {
	var c ChallengeFault
	keys, lost, good := p.mapping(n, "`challenge`", "{twice: true}", challengeKeys)
	if !good {
		return c, false
	}
	good = !lost
	read := func(key string, reader func(n *yaml.Node, what string) bool) {
		if e, ok := keys[key]; ok && !reader(e.value, code(key)) {
			good = false
		}
	}
	read("twice", func(n *yaml.Node, what string) (ok bool) {
		c.Twice, ok = p.boolean(n, what)
		return ok
	})
	read("delay", func(n *yaml.Node, what string) (ok bool) {
		c.Delay, ok = p.atMost(n, what, MaxFaultDelay)
		return ok
	})
	read("slow", func(n *yaml.Node, what string) (ok bool) {
		c.Rate, ok = p.whole(n, what, 1, MaxRate)
		return ok
	})
	read("type", func(n *yaml.Node, what string) (ok bool) {
		if c.Type, ok = p.text(n, what); !ok {
			return false
		}
		if length := utf8.RuneCountInString(c.Type); length == 0 || length > maxChallengeType || strings.ContainsFunc(c.Type, unicode.IsControl) {
			p.errorf(n, "bad-value", "%s is %s, it must be of 1 to %d characters, without control characters", what, code(c.Type), maxChallengeType)
			return false
		}
		return true
	})
	return c, good
}
