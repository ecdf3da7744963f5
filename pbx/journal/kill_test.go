package journal

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"branchline/pbx/call"
	"branchline/pbx/store"
)

// childFolder is the environment variable that makes the test binary a box that is to be killed.
const childFolder = "BRANCHLINE_TEST_KILL"

func TestMain(m *testing.M) {
	if folder := os.Getenv(childFolder); folder != "" {
		if err := liveUntilKilled(folder); err != nil {
			fmt.Println("error", err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// liveUntilKilled appends facts as fast as they come and tells on stdout which are synced.
func liveUntilKilled(folder string) error {
	s, err := store.Open(folder)
	if err != nil {
		return err
	}
	boot, clean, err := s.NextBoot()
	if err != nil {
		return err
	}
	fmt.Println("boot", boot, clean)
	j, err := Open(s, Options{Folds: []Fold{&rower{}}})
	if err != nil {
		return err
	}
	go func() { _ = s.Run(context.Background()) }()
	go func() {
		for at := call.Seq(0); ; {
			synced, changed := j.Mark()
			if synced > at {
				at = synced
				fmt.Println("synced", at)
			}
			<-changed
		}
	}()
	for range time.Tick(time.Millisecond) {
		for range rand.IntN(20) {
			n := j.Last() + 1
			j.Append(day(1), fact(int(n)))
			if n%64 == 0 {
				j.Checkpoint("c", n, store.Key(uint64(n)))
				j.Alive(day(2).Add(time.Duration(n)))
			}
		}
	}
	return nil
}

// killed runs a box in folder, kills it after a while and gives the last number that it called
// synced, and its boot number.
func killed(t *testing.T, folder string, after time.Duration) (synced uint64, boot int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+folder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var clean bool
		what, rest, _ := strings.Cut(lines.Text(), " ")
		switch what {
		case "boot":
			_, err = fmt.Sscan(rest, &boot, &clean)
		case "synced":
			_, err = fmt.Sscan(rest, &synced)
		default:
			t.Errorf("the box says %s", lines.Text())
		}
		if err != nil || clean && boot > 1 {
			t.Errorf("the box says %s, %v: a run that was killed is not clean", lines.Text(), err)
		}
	}
	_ = cmd.Wait() // it was killed
	return synced, boot
}

func TestBoxKilledAtAnyMomentKeepsWhatItCalledSynced(t *testing.T) {
	dir := t.TempDir()
	boots, most := 0, uint64(0)
	for round := range 10 {
		synced, boot := killed(t, dir, time.Duration(rand.IntN(300))*time.Millisecond)
		if boot != 0 {
			if boot <= boots {
				t.Errorf("round %d: boot %d after boot %d", round, boot, boots)
			}
			boots = boot
		}
		most = max(most, synced)
		b := startBox(t, dir, &rower{})
		n := int(b.Last())
		if uint64(n) < most {
			t.Fatalf("round %d: %d facts, but %d were called synced", round, n, most)
		}
		if n > 0 {
			follow(t, b, 0, n)
		}
		checkRows(t, b.Journal, n)
		if at, state, ok := b.Load("c"); ok && (at > b.Last() || store.Number(state) != uint64(at)) {
			t.Errorf("round %d: checkpoint at %d of %d facts, state %d", round, at, n, store.Number(state))
		}
		b.stop()
	}
	if most < 200 {
		t.Errorf("%d facts synced in all rounds: the test tells little", most)
	}
}
