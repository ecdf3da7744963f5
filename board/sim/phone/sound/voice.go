package sound

import (
	"math"
	"math/rand/v2"
	"net"
	"strings"

	"branchline/hal/dsp"
)

// voice is the speaking half of a Session: it makes one frame after the other.
type voice struct {
	s     *Session
	ssrc  uint32
	seq   uint16
	stamp uint32
	phase float64
	fresh bool // the next packet of sound begins a talkspurt: marker bit

	key      int // which frame of a key press is next; 0: none
	code     uint8
	keyStamp uint32
	pause    int // frames until the next key may go

	pcm [frameSize]int16
	buf [headerSize + frameSize]byte
}

// frame sends what 20 ms hold. The timestamp goes on also while nothing is sent.
func (v *voice) frame(conn *net.UDPConn) {
	f := v.s.flow.Load()
	defer func() { v.stamp += frameSize }()
	v.fill(f)
	if !f.Sends || !f.To.IsValid() || f.To.Port() == 0 {
		v.fresh = true
		return
	}
	if v.keyFrame(conn, f) {
		v.fresh = true // RFC 4733 2.5.1.1: sound after an event is a new talkspurt
		return
	}
	payload := v.buf[headerSize:]
	if f.Codec.Name == "PCMA" {
		dsp.EncodeALaw(payload, v.pcm[:])
	} else {
		dsp.EncodeULaw(payload, v.pcm[:])
	}
	v.send(conn, f, packet{payloadType: f.Codec.Payload, marker: v.fresh, stamp: v.stamp}, frameSize)
	v.fresh = false
}

// fill makes the next 20 ms of sound: what plays, then the tone. The phase goes on over frames.
func (v *voice) fill(f *Flow) {
	v.s.mu.Lock()
	n := copy(v.pcm[:], v.s.pcm)
	v.s.pcm = v.s.pcm[n:]
	v.s.mu.Unlock()
	hz := math.Float64frombits(v.s.tone.Load())
	for i := n; i < len(v.pcm); i++ {
		v.pcm[i] = 0
		if hz > 0 {
			v.pcm[i] = int16(amplitude * math.Sin(v.phase))
			v.phase = math.Mod(v.phase+2*math.Pi*hz/8000, 2*math.Pi)
		}
	}
	if f.Quiet {
		clear(v.pcm[:])
	}
}

// keyFrame sends the packet of a key that is being pressed, if one is.
func (v *voice) keyFrame(conn *net.UDPConn, f *Flow) bool {
	if v.key == 0 {
		if v.pause > 0 {
			v.pause--
			return false
		}
		code, ok := v.nextKey()
		if !ok {
			return false
		}
		v.code, v.keyStamp = code, v.stamp
	}
	v.key++
	e := event{code: v.code, duration: uint16(v.key) * frameSize, end: v.key == keyFrames}
	copies := 1
	if e.end {
		copies = endPackets
	}
	for range copies {
		e.write(v.buf[headerSize:])
		v.send(conn, f, packet{payloadType: f.Events, marker: v.key == 1, stamp: v.keyStamp}, 4)
	}
	if e.end {
		v.key, v.pause = 0, keyPause
	}
	return true
}

func (v *voice) nextKey() (uint8, bool) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	if len(v.s.keys) == 0 {
		return 0, false
	}
	key := v.s.keys[0]
	v.s.keys = v.s.keys[1:]
	return uint8(strings.IndexByte(keyNames, key)), true
}

func (v *voice) send(conn *net.UDPConn, f *Flow, p packet, size int) {
	p.seq, p.ssrc = v.seq, v.ssrc
	v.seq++
	if v.s.mute.Load() {
		return
	}
	if loss := math.Float64frombits(v.s.loss.Load()); loss > 0 && rand.Float64() < loss {
		return
	}
	p.header(v.buf[:])
	// An error is an ICMP of an earlier packet or a full queue: a lost packet either way.
	_, _ = conn.WriteToUDPAddrPort(v.buf[:headerSize+size], f.To)
}
