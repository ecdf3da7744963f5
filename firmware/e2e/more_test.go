package e2e

import (
	"encoding/binary"
	"os"
	"testing"
	"time"

	"branchline/board/sim/network"
	"branchline/pbx/call"
	"branchline/pbx/view"
)

type leg = view.Leg

// recordAfter does something that ends the call and gives its record.
func (r *rig) recordAfter(end func(), from string) view.Record {
	r.t.Helper()
	end()
	return r.record(from)
}

func (r *rig) recordsFromOutside() (out []view.Record) {
	for _, rec := range r.records() {
		if rec.Direction == call.Inbound {
			out = append(out, rec)
		}
	}
	return out
}

func (r *rig) outsideTo(number, script string) *network.Call {
	r.t.Helper()
	s, err := network.ParseScript(script)
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := r.box.World().Network.Call(number, s)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func callOf(r *rig, from string) call.ID {
	return waitFact(r, func(f call.Began) bool { return string(f.From) == from }).Call
}

// at is when a fact was stated.
func (r *rig) at(fact call.Fact) time.Time {
	for _, e := range r.facts() {
		if e.Fact.Kind() == fact.Kind() && e.Fact.About() == fact.About() {
			return e.At
		}
	}
	r.t.Fatalf("no such fact: %+v", fact)
	return time.Time{}
}

func (r *rig) agentNow(agent string) (state call.State) {
	for _, e := range r.facts() {
		if p, ok := e.Fact.(call.Presence); ok && p.Agent == agent {
			state = p.State
		}
	}
	return state
}

// loud: something is heard in the last 200 ms.
func loud(pcm []int16) bool {
	if len(pcm) < 1600 {
		return false
	}
	for _, s := range pcm[len(pcm)-1600:] {
		if s > 800 || s < -800 {
			return true
		}
	}
	return false
}

// readWAV reads a stereo file of 16-bit samples at 8 kHz, by the sizes of its header.
func readWAV(t *testing.T, path string) (left, right []int16) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) < 44 || string(raw[:4]) != "RIFF" || string(raw[8:12]) != "WAVE" {
		t.Fatalf("%s is no WAV file", path)
	}
	if ch, rate, bits := binary.LittleEndian.Uint16(raw[22:]), binary.LittleEndian.Uint32(raw[24:]), binary.LittleEndian.Uint16(raw[34:]); ch != 2 || rate != 8000 || bits != 16 {
		t.Fatalf("%s: %d channels, %d Hz, %d bits", path, ch, rate, bits)
	}
	size := int(binary.LittleEndian.Uint32(raw[40:]))
	if string(raw[36:40]) != "data" || size == 0 || 44+size != len(raw) {
		t.Fatalf("%s: the header says %d bytes of sound, the file has %d", path, size, len(raw)-44)
	}
	for b := raw[44:]; len(b) >= 4; b = b[4:] {
		left = append(left, int16(binary.LittleEndian.Uint16(b)))
		right = append(right, int16(binary.LittleEndian.Uint16(b[2:])))
	}
	return left, right
}
