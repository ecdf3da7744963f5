package rtp

import (
	"encoding/binary"
	"strings"
	"time"
)

// eventKeys lists the keys by their event number (RFC 4733 section 3.2); event 16 is a hook flash.
const eventKeys = "0123456789*#ABCD!"

// Flash is the key that stands for a hook flash.
const Flash = '!'

// Press is one key, pressed and let go.
type Press struct {
	Key    byte // 0-9 * # A-D, or Flash
	For    time.Duration
	Passed bool // as Put was told of its first packet
}

// KeysIn recognises keys in RFC 4733 packets: each is told once, when it ends, however many of its
// packets come twice, late or never. The zero value is ready.
type KeysIn struct {
	Hz        uint32 // how fast timestamps count; 0: 8000
	any       bool   // there was an event
	open      bool   // it is still pressed
	timestamp uint32 // which names it
	code      byte
	before    time.Duration // of its earlier segments
	duration  uint16
	quiet     int // ticks without a packet of it
	passed    bool
	told      [16]Press
	waiting   int // of told
}

// Put takes the payload of an event packet. Pass says that packets are being sent on to another
// party; it answers whether this one is to be: a key is sent on from its first packet or not at all.
func (k *KeysIn) Put(timestamp uint32, payload []byte, pass bool) bool {
	if len(payload) < 4 || int(payload[0]) >= len(eventKeys) {
		return false
	}
	code, end := payload[0], payload[1]&0x80 != 0
	duration := binary.BigEndian.Uint16(payload[2:])
	longAgo := 10 * int32(hertz(k.Hz))
	switch after := int32(timestamp - k.timestamp); {
	case !k.any, code != k.code && after == 0, after > 0, after < -longAgo:
		if k.open && code == k.code && after == 0xffff { // RFC 4733 section 2.5.1.3: a long press in segments
			k.before += lasts(0xffff, k.Hz)
		} else {
			k.finish()
			k.before = 0
			k.open, k.passed = true, pass
		}
		k.any, k.timestamp, k.code, k.duration = true, timestamp, code, 0
	case after < 0: // a late one of a key already told
		return false
	}
	k.quiet = 0
	k.duration = max(k.duration, duration)
	if end {
		k.finish()
	}
	return k.passed && pass
}

// finish ends the key that is open, if any.
func (k *KeysIn) finish() {
	if !k.open {
		return
	}
	k.open = false
	if k.waiting < len(k.told) {
		k.told[k.waiting] = Press{eventKeys[k.code], k.before + lasts(k.duration, k.Hz), k.passed}
		k.waiting++
	}
}

// Tick is called every 20 ms and tells the next key that has ended.
func (k *KeysIn) Tick() (Press, bool) {
	const lost = 10 // 200 ms: phones repeat at least every 50
	if k.open {
		if k.quiet++; k.quiet > lost {
			k.finish()
		}
	}
	if k.waiting == 0 {
		return Press{}, false
	}
	p := k.told[0]
	k.waiting--
	copy(k.told[:], k.told[1:])
	return p, true
}

// Restart says that the sender is a new one, whose timestamps mean nothing beside the old.
func (k *KeysIn) Restart() {
	k.finish()
	k.any = false
}

func lasts(n uint16, hz uint32) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(hertz(hz))
}

func hertz(hz uint32) uint32 {
	if hz == 0 {
		return 8000
	}
	return hz
}

// KeysOut plays keys as RFC 4733 packets, each 100 ms long and 100 ms apart, or tells when to
// sound them in-band. The zero value is ready.
type KeysOut struct {
	Hz        uint32   // how fast timestamps count; 0: 8000
	queue     [64]byte // event numbers
	n         int
	phase     int // ticks into the first of them
	timestamp uint32
}

// KeyPacket is what one tick sends of a key.
type KeyPacket struct {
	Timestamp uint32
	Marker    bool
	Payload   [4]byte
}

const (
	pressTicks = 5  // 100 ms
	keyTicks   = 10 // and 100 ms of pause
)

// Add queues keys (0-9 * # A-D !). False: one of them is no key, or there is no room; nothing is
// queued then.
func (k *KeysOut) Add(keys string) bool {
	if len(keys) > len(k.queue)-k.n {
		return false
	}
	for i := range len(keys) {
		code := strings.IndexByte(eventKeys, keys[i])
		if code < 0 {
			return false
		}
		k.queue[k.n+i] = byte(code)
	}
	k.n += len(keys)
	return true
}

// Busy says that keys are being sent.
func (k *KeysOut) Busy() bool { return k.n > 0 }

// Clear forgets the keys that have not begun.
func (k *KeysOut) Clear() { k.n = min(k.n, 1) }

// Tick is called every 20 ms with the timestamp that sound would have now. Pressed is the key that
// is down during this tick, 0 for none. Where send is true packet is to be sent; the end packet of
// a key is sent three times, a tick apart.
func (k *KeysOut) Tick(now uint32) (packet KeyPacket, send bool, pressed byte) {
	if k.n == 0 {
		return KeyPacket{}, false, 0
	}
	code, phase := k.queue[0], k.phase
	if phase == 0 {
		k.timestamp = now
	}
	if k.phase++; k.phase == keyTicks {
		k.phase = 0
		k.n--
		copy(k.queue[:], k.queue[1:])
	}
	if phase < pressTicks {
		pressed = eventKeys[code]
	}
	if phase >= pressTicks+2 {
		return KeyPacket{}, false, pressed
	}
	packet = KeyPacket{Timestamp: k.timestamp, Marker: phase == 0}
	packet.Payload[0] = code
	packet.Payload[1] = 10 // -10 dBm0
	if phase >= pressTicks-1 {
		packet.Payload[1] |= 0x80
	}
	binary.BigEndian.PutUint16(packet.Payload[2:], uint16(uint32(min(phase+1, pressTicks))*hertz(k.Hz)/50))
	return packet, true, pressed
}
