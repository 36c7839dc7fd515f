// Package consumer is the built-in consumer of `listen` and `demo`: it answers
// challenges as the vendor documents, and tells what arrives. It also is each
// kind of bad consumer: see [Kinds] and [Serve].
package consumer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// maxBytes is the size of the largest request that is read.
const maxBytes = 16 << 20

// okBody is what events are answered with.
const okBody = `{"ok":true}`

// An Arrival is one request that reached the consumer.
type Arrival struct {
	Challenge string // the value, if the request was a challenge
	Event     string // the type that the payload names, if any
	Body      []byte
}

// New returns a consumer that tells of each arrival before it answers. Arrivals
// may come at the same time.
func New(tell func(Arrival)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.Error(w, "this is a webhook consumer: it takes POST", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBytes))
		if err != nil {
			http.Error(w, "the body was not read: "+err.Error(), http.StatusBadRequest)
			return
		}
		a, isChallenge, malformed := understand(body)
		tell(a)
		if malformed != nil {
			http.Error(w, malformed.Error(), http.StatusBadRequest)
			return
		}
		answer := []byte(okBody)
		if isChallenge {
			answer = challengeBody(a.Challenge)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer)
	})
}

// understand reads the body of a request.
func understand(body []byte) (a Arrival, isChallenge bool, malformed error) {
	var payload struct {
		Event     string  `json:"event"`
		Type      string  `json:"type"`
		Challenge *string `json:"challenge"`
	}
	malformed = json.Unmarshal(body, &payload)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](malformed); ok && e.Field != "" {
		malformed = fmt.Errorf("JSON, but %s is no string", e.Field)
	} else if ok {
		malformed = errors.New("JSON, but no object")
	} else if malformed != nil {
		malformed = fmt.Errorf("not JSON: %w", malformed)
	}
	a = Arrival{Event: payload.Event, Body: body}
	isChallenge = malformed == nil && payload.Type == "url_verification" && payload.Challenge != nil
	if isChallenge {
		a.Challenge = *payload.Challenge
	}
	return a, isChallenge, malformed
}

// challengeBody is the documented answer to a challenge.
func challengeBody(value string) []byte {
	answer, _ := json.Marshal(map[string]string{"challenge": value})
	return answer
}
