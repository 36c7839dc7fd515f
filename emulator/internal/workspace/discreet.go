package workspace

import "strings"

// Discreet returns the text with every token in it shortened: those of workspaces,
// and what tokens usually look like.
func (s *Store) Discreet(text string) string {
	var b strings.Builder // stays empty as long as there is none
	done := 0
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && inToken(text[end]) {
			end++
		}
		if word := text[i:end]; s.isToken(word) && !strings.HasPrefix(text[end:], "…") {
			b.WriteString(text[done:i])
			b.WriteString(ShortToken(word))
			done = end
		}
		i = end + 1
	}
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

// inToken reports whether a byte is one that stands in a token and not beside it.
func inToken(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~+", c) >= 0
}

func (s *Store) isToken(word string) bool {
	if len(word) > 4 && (strings.HasPrefix(word, "sk-") || strings.HasPrefix(word, "sk_")) {
		return true
	}
	if _, fixed := s.cfg.Tokens.Fates[word]; !fixed && (s.cfg.Tokens.Accept == nil || !s.cfg.Tokens.Accept.MatchString(word)) || len(word) < 4 {
		return false
	}
	id := s.ID(word)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.byID[id]
	return known
}
