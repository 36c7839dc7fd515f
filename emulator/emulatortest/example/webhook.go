package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"
	"unicode/utf8"
)

// subscribed are the events that a webhook is registered for.
var subscribed = []string{
	"job_added", "job_activated", "job_deactivated", "job_deleted",
	"applicant_applied", "cv_upload_completed", "meeting_booked",
}

// message is a challenge, or as much of an event as is of interest here. What else
// there is in one is passed over, so that new fields break nothing.
type message struct {
	Type      string `json:"type"`
	Challenge string `json:"challenge"`

	Event     string    `json:"event"`
	Timestamp time.Time `json:"timestamp"` // when it happened
	Job       struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	} `json:"job"`
	Applicant struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		Email      string `json:"email"`
		Evaluation struct {
			Score float64 `json:"score"`
		} `json:"ai_evaluation"`
	} `json:"applicant"`
	Meeting struct {
		ID          string    `json:"id"`
		ScheduledAt time.Time `json:"scheduled_at"`
	} `json:"meeting"`
}

// maxBody is the size of the largest message that is read.
const maxBody = 1 << 20

// webhook answers 2xx only to what is stored, or of no interest; 4xx to what will not
// get better when it is sent again; 5xx to what may.
func (a *App) webhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	var m message
	if err != nil || !utf8.Valid(body) || json.Unmarshal(body, &m) != nil {
		http.Error(w, "not a message in JSON", http.StatusBadRequest)
		return
	}
	if m.Type == "url_verification" {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"challenge": m.Challenge})
		return
	}
	// Not the context of the request: it ends when the sender closes its side, and an
	// event that has come is kept.
	err = a.take(context.WithoutCancel(r.Context()), m)
	switch {
	case errors.Is(err, errIncomplete):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	case err != nil:
		log.Printf("%s was not stored: %v", m.Event, err)
		http.Error(w, "the database does not answer", http.StatusInternalServerError)
	}
}

var errIncomplete = errors.New("incomplete")

// take stores what an event tells.
func (a *App) take(ctx context.Context, m message) error {
	switch m.Event {
	case "job_added", "job_activated", "job_deactivated", "job_deleted":
		if err := complete(m, m.Job.ID, m.Job.Title); err != nil {
			return err
		}
		return a.store.putJob(ctx, m)
	case "applicant_applied", "cv_upload_completed":
		if err := complete(m, m.Job.ID, m.Applicant.ID, m.Applicant.Name, m.Applicant.Email); err != nil {
			return err
		}
		return a.store.putApplicant(ctx, m)
	case "meeting_booked":
		if err := complete(m, m.Meeting.ID, m.Applicant.ID); err != nil {
			return err
		}
		return a.store.putMeeting(ctx, m)
	default:
		return nil // of a later edition, maybe; an error would only bring it again
	}
}

// complete wants the time of a message and some of its fields.
func complete(m message, fields ...string) error {
	if m.Timestamp.IsZero() {
		return fmt.Errorf("%s is %w: no timestamp", m.Event, errIncomplete)
	}
	for _, f := range fields {
		if f == "" {
			return fmt.Errorf("%s is %w", m.Event, errIncomplete)
		}
	}
	return nil
}
