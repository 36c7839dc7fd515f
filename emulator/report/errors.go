package report

import "github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"

// An Error is a row of the catalogue of documented errors.
type Error struct {
	Code      string              `json:"code"`
	Edition   hirempire.Edition   `json:"edition"`
	Operation hirempire.Operation `json:"operation"`
	Status    int                 `json:"status"`
	Message   string              `json:"message"`
	When      string              `json:"when"`
	Body      string              `json:"body"`
	Curl      string              `json:"curl"` // causes it
}

// Errors returns the catalogue of an edition, with requests to an emulator at a
// base URL such as http://127.0.0.1:8080.
func Errors(edition hirempire.Edition, base string) []Error {
	errors := []Error{}
	for _, row := range hirempire.Errors(edition) {
		errors = append(errors, Error{
			row.Code, row.Edition, row.Operation, row.Status, row.Message, row.When,
			string((&hirempire.Error{Message: row.Message}).Body()), curl(row, base),
		})
	}
	return errors
}

func curl(row hirempire.ErrorRow, base string) string {
	for _, route := range hirempire.Routes(row.Edition) {
		if route.Operation != row.Operation {
			continue
		}
		url := base + route.Path
		if row.Try.Query != "" {
			url += "?" + row.Try.Query
		}
		words := []string{"curl", "-i", "-X", route.Method, url}
		if row.Try.Token != "" {
			words = append(words, "-H", "Authorization: Bearer "+row.Try.Token)
		}
		if row.Try.Body != "" {
			words = append(words, "-H", "Content-Type: application/json", "-d", row.Try.Body)
		}
		return Command(words...)
	}
	return ""
}
