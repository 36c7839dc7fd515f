package workspace

import "strings"

// Discreet returns the text with every token in it shortened: those of workspaces,
// and what tokens usually look like.
func (s *Store) Discreet(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder // stays empty as long as there is none
	done := 0
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && inToken[text[end]] {
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

// inToken tells which bytes stand in a token and not beside it.
var inToken = func() (in [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~+") {
		in[c] = true
	}
	return in
}()

func (s *Store) isToken(word string) bool {
	if len(word) > 4 && (strings.HasPrefix(word, "sk-") || strings.HasPrefix(word, "sk_")) {
		return true
	}
	if len(word) < 4 || !s.begins[word[0]] { // as most words: each call's bodies are read here
		return false
	}
	_, known := s.byToken[word]
	return known
}
