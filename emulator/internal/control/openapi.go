package control

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.yaml
var description string

// showDescription gives the description of both APIs, which tests hold against them.
func (s *server) showDescription(r *request) (answer, error) {
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, text: []byte(description), kind: "application/yaml"}, nil
}
