package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	_ "modernc.org/sqlite" // needs no C compiler
)

// store keeps the newest that is known of each job, applicant and meeting. Events may
// come twice and in any order: a row is written by the event that happened last, and
// writing it again changes nothing. A deleted job is kept, or a late event would bring
// it back.
type store struct{ db *sql.DB }

const schema = `
CREATE TABLE IF NOT EXISTS jobs (
	id TEXT PRIMARY KEY, title TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS applicants (
	id TEXT PRIMARY KEY, job TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, score REAL NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS meetings (
	id TEXT PRIMARY KEY, applicant TEXT NOT NULL, scheduled_at INTEGER NOT NULL, at INTEGER NOT NULL);
`

func openStore(ctx context.Context, file string) (*store, error) {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; who waits for it waits here
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot use the database %s: %w", file, err), db.Close())
	}
	return &store{db}, nil
}

func (s *store) close() error { return s.db.Close() }

func (s *store) putJob(ctx context.Context, m message) error {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO jobs (id, title, state, at) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET title = excluded.title, state = excluded.state, at = excluded.at
		WHERE excluded.at >= jobs.at`,
		m.Job.ID, m.Job.Title, strings.TrimPrefix(m.Event, "job_"), m.Timestamp.UnixMilli())
	return err
}

func (s *store) putApplicant(ctx context.Context, m message) error {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO applicants (id, job, name, email, score, at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET job = excluded.job, name = excluded.name, email = excluded.email, score = excluded.score, at = excluded.at
		WHERE excluded.at >= applicants.at`,
		m.Applicant.ID, m.Job.ID, m.Applicant.Name, m.Applicant.Email, m.Applicant.Evaluation.Score, m.Timestamp.UnixMilli())
	return err
}

func (s *store) putMeeting(ctx context.Context, m message) error {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO meetings (id, applicant, scheduled_at, at) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET applicant = excluded.applicant, scheduled_at = excluded.scheduled_at, at = excluded.at
		WHERE excluded.at >= meetings.at`,
		m.Meeting.ID, m.Applicant.ID, m.Meeting.ScheduledAt.UnixMilli(), m.Timestamp.UnixMilli())
	return err
}

// Applicant is who applied.
type Applicant struct {
	Name     string     `json:"name"`
	Email    string     `json:"email"`
	Job      string     `json:"job"`       // title; empty until it is known
	JobState string     `json:"job_state"` // such as added, deactivated, deleted
	Score    float64    `json:"score"`
	Meeting  *time.Time `json:"meeting"` // the next; nil: none is booked
}

// applicants returns all of them, by name.
func (s *store) applicants(ctx context.Context) ([]Applicant, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT a.name, a.email, COALESCE(j.title, ''), COALESCE(j.state, ''), a.score,
			(SELECT MIN(scheduled_at) FROM meetings WHERE applicant = a.id)
		FROM applicants a LEFT JOIN jobs j ON j.id = a.job ORDER BY a.name, a.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []Applicant{}
	for rows.Next() {
		var a Applicant
		var meeting sql.NullInt64
		if err := rows.Scan(&a.Name, &a.Email, &a.Job, &a.JobState, &a.Score, &meeting); err != nil {
			return nil, err
		}
		if meeting.Valid {
			at := time.UnixMilli(meeting.Int64).UTC()
			a.Meeting = &at
		}
		all = append(all, a)
	}
	return all, rows.Err()
}
