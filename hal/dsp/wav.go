package dsp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// WAVHeaderLen is the length of a WAVHeader.
const WAVHeaderLen = 44

// WAV is the content of a sound file.
type WAV struct {
	Rate     int // samples per second
	Channels int
	PCM      []int16 // channels interleaved
}

// WAVHeader is what stands before dataLen bytes of 16-bit little-endian samples in a WAV file.
func WAVHeader(rate, channels int, dataLen uint32) [WAVHeaderLen]byte {
	var h [WAVHeaderLen]byte
	le := binary.LittleEndian
	copy(h[0:], "RIFF")
	le.PutUint32(h[4:], dataLen+WAVHeaderLen-8)
	copy(h[8:], "WAVEfmt ")
	le.PutUint32(h[16:], 16)
	le.PutUint16(h[20:], 1) // PCM
	le.PutUint16(h[22:], uint16(channels))
	le.PutUint32(h[24:], uint32(rate))
	le.PutUint32(h[28:], uint32(rate*channels*2))
	le.PutUint16(h[32:], uint16(channels*2))
	le.PutUint16(h[34:], 16)
	copy(h[36:], "data")
	le.PutUint32(h[40:], dataLen)
	return h
}

// FormatWAV is w as a file.
func FormatWAV(w WAV) []byte {
	h := WAVHeader(w.Rate, w.Channels, uint32(2*len(w.PCM)))
	return AppendPCM(h[:], w.PCM)
}

// AppendPCM appends pcm to b as 16-bit little-endian samples.
func AppendPCM(b []byte, pcm []int16) []byte {
	for _, s := range pcm {
		b = append(b, byte(s), byte(s>>8))
	}
	return b
}

// WAVMark is how many bytes tell what is a WAV file.
const WAVMark = 12

// IsWAV tells whether a file that begins with head may be a WAV file.
func IsWAV(head []byte) bool {
	return len(head) >= WAVMark && string(head[:4]) == "RIFF" && string(head[8:WAVMark]) == "WAVE"
}

// ParseWAV reads a WAV file of 16-bit, A-law or µ-law samples. A data chunk that claims more than
// there is, as in a recording cut off by a crash, is read as far as it goes.
func ParseWAV(b []byte) (WAV, error) {
	if !IsWAV(b) {
		return WAV{}, errors.New("not a WAV file")
	}
	var w WAV
	var format, bits uint16
	le := binary.LittleEndian
	for b = b[12:]; len(b) >= 8; {
		name, size := string(b[:4]), uint64(le.Uint32(b[4:]))
		body := b[8:]
		if uint64(len(body)) > size {
			body = body[:size]
		}
		switch {
		case name == "fmt " && len(body) >= 16:
			format, bits = le.Uint16(body), le.Uint16(body[14:])
			w.Channels, w.Rate = int(le.Uint16(body[2:])), int(le.Uint32(body[4:]))
		case name == "data":
			err := w.decode(format, bits, body)
			return w, err
		}
		b = b[min(uint64(len(b)), 8+size+size&1):]
	}
	return WAV{}, errors.New("a WAV file without sound")
}

// decode takes the body of the data chunk.
func (w *WAV) decode(format, bits uint16, body []byte) error {
	if w.Channels < 1 || w.Channels > 2 || w.Rate < 1000 || w.Rate > 192000 {
		return fmt.Errorf("a WAV file with %d channels at %d Hz", w.Channels, w.Rate)
	}
	const pcm, alaw, ulaw = 1, 6, 7
	switch {
	case format == pcm && bits == 16:
		w.PCM = make([]int16, len(body)/2)
		for i := range w.PCM {
			w.PCM[i] = int16(binary.LittleEndian.Uint16(body[2*i:]))
		}
	case format == alaw && bits == 8:
		w.PCM = make([]int16, len(body))
		DecodeALaw(w.PCM, body)
	case format == ulaw && bits == 8:
		w.PCM = make([]int16, len(body))
		DecodeULaw(w.PCM, body)
	default:
		return fmt.Errorf("a WAV file of format %d with %d bits; it must be 16-bit PCM", format, bits)
	}
	return nil
}
