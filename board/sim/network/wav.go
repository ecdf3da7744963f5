package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// parseWAV reads a RIFF file of 8000 Hz, mono, 16-bit PCM; other chunks are skipped, sound over
// ten minutes is cut off.
func parseWAV(r io.Reader) ([]int16, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, errors.New("no WAV file")
	}
	known := false
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return nil, errors.New("WAV file without sound")
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			if err := checkFormat(r, size); err != nil {
				return nil, err
			}
			known = true
		case "data":
			if !known {
				return nil, errors.New("WAV file without a format before its sound")
			}
			return readSamples(io.LimitReader(r, min(size, 2*maxSaid)))
		default:
			if _, err := io.CopyN(io.Discard, r, size+size%2); err != nil {
				return nil, errors.New("WAV file without sound")
			}
		}
	}
}

func checkFormat(r io.Reader, size int64) error {
	var f struct {
		Format, Channels uint16
		Rate, Bytes      uint32
		Block, Bits      uint16
	}
	if size < 16 {
		return errors.New("WAV file with half a format")
	}
	if err := binary.Read(r, binary.LittleEndian, &f); err != nil {
		return errors.New("WAV file with half a format")
	}
	if f.Format != 1 || f.Channels != 1 || f.Rate != sampleRate || f.Bits != 16 {
		return fmt.Errorf("format %d, %d channels, %d Hz, %d bit; wanted is PCM (1), 1 channel, 8000 Hz, 16 bit", f.Format, f.Channels, f.Rate, f.Bits)
	}
	if _, err := io.CopyN(io.Discard, r, size-16+size%2); err != nil {
		return errors.New("WAV file without sound")
	}
	return nil
}

func readSamples(r io.Reader) ([]int16, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return pcm, nil
}
