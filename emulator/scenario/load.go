package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	// maxDepth is how deep values may be nested; the language itself needs 8.
	maxDepth = 32
	// maxAliased and maxAliasedBytes bound what the aliases of a file stand for,
	// each counted as often as it is used.
	maxAliased      = 50_000
	maxAliasedBytes = MaxBytes
)

// load returns the root of the only document, nil where there is no use in
// looking at it: the problem is reported then.
func (p *parser) load(data []byte) *yaml.Node {
	text, problem := checkText(p.file, data)
	if problem != nil {
		p.add(*problem)
		return nil
	}
	doc, more, err := decode(text)
	switch {
	case err != nil:
		p.add(syntaxProblem(p.file, text, err))
		return nil
	case doc == nil || len(doc.Content) == 0 || isEmpty(doc.Content[0]):
		p.errorAt(Position{p.file, 1, 1}, "empty-file", "the file is empty; a story starts with `version: 1`")
		return nil
	}
	if more {
		p.errorAt(secondDocument(p.file, text), "second-document", "a second document starts here; a file holds one story, put the other one in a file of its own")
	}
	root := doc.Content[0]
	if !p.wellFormed(root) {
		return nil
	}
	return root
}

// decode reads the first document, nil if there is none, and says whether there
// is more.
func decode(text []byte) (doc *yaml.Node, more bool, err error) {
	// The YAML reader has panicked on broken files before; for us, such a file is
	// broken and no more.
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("yaml: %v", r)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	doc = new(yaml.Node)
	if err := decoder.Decode(doc); errors.Is(err, io.EOF) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, err
	}
	switch err := decoder.Decode(new(yaml.Node)); {
	case errors.Is(err, io.EOF):
		return doc, false, nil
	case err != nil && secondDocument("", text).Line == 0:
		return nil, false, err
	default:
		return doc, true, nil
	}
}

// secondDocument finds the marker that ends the first document, zero if there
// is none. A marker is one wherever it stands, in quotes too.
func secondDocument(file string, text []byte) Position {
	content, ended := false, false
	number := 0
	for line := range bytes.Lines(text) {
		number++
		s := strings.TrimRight(string(line), "\r\n")
		marker := ""
		if len(s) == 3 || len(s) > 3 && (s[3] == ' ' || s[3] == '\t') {
			marker = s[:3]
		}
		blank := strings.TrimSpace(s) == "" || strings.HasPrefix(strings.TrimSpace(s), "#")
		switch {
		case marker == "---" && (content || ended):
			return Position{file, number, 1}
		case marker == "---":
			// From here on even nothing is a document.
			content = true
		case marker == "..." && content:
			ended = true
		case ended && !blank:
			return Position{file, number, 1}
		case !blank && !strings.HasPrefix(s, "%"):
			content = true
		}
	}
	return Position{}
}

func isEmpty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && isPlain(n)
}

// weight is what a value counts with every alias in it written out.
type weight struct{ values, bytes, depth int }

// wellFormed checks what holds for every node, whatever it means, and reports
// whether the meaning can be looked at. Each node is visited once; aliases are
// added up, never followed.
func (p *parser) wellFormed(root *yaml.Node) bool {
	ok := true
	fail := func(n *yaml.Node, code, format string, args ...any) {
		if ok {
			p.errorf(n, code, format, args...)
		}
		ok = false
	}
	weights := make(map[*yaml.Node]weight) // of anchored nodes only
	aliased := weight{}
	var visit func(n *yaml.Node, depth int) weight
	visit = func(n *yaml.Node, depth int) weight {
		if depth > maxDepth {
			fail(n, "too-deep", "values are nested more than %d deep here", maxDepth)
			return weight{}
		}
		if n.Kind == yaml.AliasNode {
			w, done := weights[n.Alias]
			aliased.values, aliased.bytes = aliased.values+w.values, aliased.bytes+w.bytes
			switch {
			case !done:
				// An anchor without a weight is one that is still being visited.
				fail(n, "alias-cycle", "the alias %s stands inside of what it stands for", code("*"+n.Value))
			case depth+w.depth-1 > maxDepth:
				fail(n, "too-deep", "with the alias %s written out, values are nested more than %d deep", code("*"+n.Value), maxDepth)
			case aliased.values > maxAliased || aliased.bytes > maxAliasedBytes:
				fail(n, "alias-bomb", "the aliases up to here stand for more than %s values or 1 MiB; let `repeat` do the work", grouped(maxAliased))
			}
			return w
		}
		if n.Style&yaml.TaggedStyle != 0 {
			p.errorf(n, "tag", "the tag %s is not part of the language; for a string, use quotes", code(shortTag(n.Tag)))
		}
		w := weight{1, len(n.Value), 1}
		for _, child := range n.Content {
			c := visit(child, depth+1)
			// Once a bound is crossed nothing is followed, so that sums need not
			// grow beyond it.
			w.values, w.bytes = min(w.values+c.values, 2*maxAliased), min(w.bytes+c.bytes, 2*maxAliasedBytes)
			w.depth = max(w.depth, c.depth+1)
		}
		if n.Kind == yaml.MappingNode {
			p.keys(n)
		}
		if n.Anchor != "" {
			weights[n] = w
		}
		return w
	}
	visit(root, 1)
	return ok
}

// keys checks the keys of a mapping.
func (p *parser) keys(n *yaml.Node) {
	first := firstKeys(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind == yaml.ScalarNode && isPlain(key) && key.ShortTag() == "!!merge":
			p.errorf(key, "merge-key", "the merge key `<<` is not part of the language; write the keys out, or use an alias for a whole value")
		case key.Kind == yaml.ScalarNode && isEmpty(key):
			p.errorf(key, "bad-key", "there is no key before the colon")
		case key.Kind == yaml.ScalarNode && !isTextKey(key):
			p.errorf(key, "bad-key", "the key %s is %s, keys are strings; put it in quotes: `\"%s\"`", code(key.Value), describe(key), strings.Trim(code(key.Value), "`"))
		case !isTextKey(key):
			p.errorf(key, "bad-key", "a key is a string, this is %s", describe(key))
		case first(key) != key:
			p.errorf(key, "duplicate-key", "the key %s is already in line %d; a key stands once", code(key.Value), first(key).Line)
		}
	}
}
