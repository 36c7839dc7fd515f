package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

var kills = flag.Int("kills", 10, "how often TestJournalSurvivesKill kills the emulator")

// Killed at any moment under load, the emulator leaves a journal of which every
// line but the last is whole; its next start mends the last.
func TestJournalSurvivesKill(t *testing.T) {
	t.Parallel()
	consumer := httptest.NewServer(emulator.NewConsumer(func(emulator.Arrival) {}))
	t.Cleanup(consumer.Close)
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	moments := rand.New(rand.NewPCG(1, 2))
	torn := 0
	for n := range *kills {
		killUnderLoad(t, file, consumer.URL, n, 1+moments.IntN(200))
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(data, []byte("\n"))
		if len(lines[len(lines)-1]) > 0 {
			torn++
		}
		for i, line := range lines[:len(lines)-1] {
			if !json.Valid(line) {
				t.Fatalf("kill %d: line %d of %d is torn: %.200q", n+1, i+1, len(lines), line)
			}
		}
	}
	t.Logf("%d kills, %d left a torn last line", *kills, torn)
}

// killUnderLoad starts an emulator, sends it events from several clients, and
// kills it once some were answered.
func killUnderLoad(t *testing.T, file, consumer string, round, answered int) {
	t.Helper()
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("hirempire-emulator", "serve", "--addr", addr, "--journal", file, "--log-level", "error")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("hirempire-emulator", "ready", "--addr", addr, "--wait", "30s").Run(); err != nil {
		t.Fatal("not ready:", err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	post := func(path, token, body string) error {
		req, err := http.NewRequest(http.MethodPost, "http://"+addr+path, strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := client.Do(req)
		if err == nil {
			res.Body.Close()
		}
		return err
	}
	answers := make(chan struct{})
	killed := make(chan struct{})
	var clients sync.WaitGroup
	for c := range 8 {
		clients.Go(func() {
			token := fmt.Sprintf("sk-%d-%d", round, c)
			if post("/v1/create-webhook", token, `{"request_url":"`+consumer+`","events":["applicant_applied"]}`) != nil {
				return
			}
			for post("/_emulator/events", token, `{"token":"`+token+`","event":"applicant_applied"}`) == nil {
				select {
				case answers <- struct{}{}:
				case <-killed:
					return
				}
			}
		})
	}
	for range answered {
		<-answers
	}
	_ = cmd.Process.Kill()
	close(killed)
	_ = cmd.Wait()
	clients.Wait()
}
