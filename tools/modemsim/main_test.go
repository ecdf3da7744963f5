package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestModemSpeaksOnThePrintedPathAndTakesCallLines types at the pty and at the input.
func TestModemSpeaksOnThePrintedPathAndTakesCallLines(t *testing.T) {
	dir := t.TempDir()
	input, typing := io.Pipe()
	printed, out := io.Pipe()
	ended := make(chan error, 1)
	var errs bytes.Buffer
	go func() {
		ended <- run(t.Context(), []string{"-dir", dir, "-number", "+49151", "-ledger", filepath.Join(dir, "ledger")}, input, out, &errs)
		out.Close()
	}()
	lines := bufio.NewScanner(printed)
	next := func() string {
		if !lines.Scan() {
			t.Fatalf("the output ended; %s", errs.String())
		}
		return lines.Text()
	}
	f := strings.Fields(next())
	if len(f) != 7 || f[2] != "+49151" {
		t.Fatalf("printed %q", f)
	}
	at, err := os.OpenFile(f[4], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	readUntil(t, at, "+QIND: PB DONE\r\n")
	io.WriteString(typing, "call +49151 from=+4930123; patience 30s\n")
	if got := next(); !strings.HasSuffix(got, "to +49151") {
		t.Errorf("printed %q", got)
	}
	readUntil(t, at, "RING\r\n")
	io.WriteString(typing, "hangup\n")
	readUntil(t, at, "NO CARRIER\r\n")
	io.WriteString(typing, "call tne 4\n")
	if got := next(); !strings.Contains(got, `"tne 4": unknown`) {
		t.Errorf("printed %q", got)
	}
	io.WriteString(typing, "quit\n")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	ledger, err := os.ReadFile(filepath.Join(dir, "ledger"))
	if err != nil || strings.Count(string(ledger), "\n") != 3 || !strings.Contains(string(ledger), `"kind":"ended","by":"caller","cause":"normal"`) {
		t.Errorf("ledger %s, %v", ledger, err)
	}
}

func readUntil(t *testing.T, f *os.File, want string) {
	t.Helper()
	if err := f.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got, one := "", make([]byte, 1)
	for !strings.HasSuffix(got, want) {
		if _, err := f.Read(one); err != nil {
			t.Fatalf("read %q, want %q: %v", got, want, err)
		}
		got += string(one)
	}
}
