package ui

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"branchline/ui/api"
)

const (
	wavePieces = 800     // of a picture
	pieceBytes = 4 << 10 // looked at of each piece: all of it up to a minute, the beginning in longer ones
	maxHead    = 4 << 10 // within which the sound must begin
)

// wave draws a recording. However long that is, it reads 3.2 MB at most.
func (h *Handler) wave(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	f, err := h.openRecording(name)
	if err != nil {
		refuse(w, noRecording(name))
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		refuse(w, noRecording(name))
		return
	}
	picture, err := draw(f, info.Size())
	if err != nil {
		refuse(w, problem(http.StatusUnprocessableEntity, fmt.Sprintf("the recording %q cannot be drawn: %v", name, err), "the file was changed or damaged; take it from a backup"))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(picture) // a client that has gone needs no answer
}

// sound is where the samples of a WAV file are. They are 16 bit.
type sound struct {
	rate, channels int
	at, size       int64 // of the samples, in bytes
}

// draw makes the picture of a WAV file of that size.
func draw(f io.ReaderAt, size int64) (api.Wave, error) {
	s, err := findSound(f, size)
	if err != nil {
		return api.Wave{}, err
	}
	frame := int64(2 * s.channels)
	frames := s.size / frame
	pieces := min(wavePieces, frames)
	out := api.Wave{Seconds: float64(frames) / float64(s.rate), Rate: s.rate, Left: make([]int, pieces)}
	loud := [2][]int{out.Left}
	if s.channels == 2 {
		out.Right = make([]int, pieces)
		loud[1] = out.Right
	}
	buf := make([]byte, pieceBytes)
	for i := range pieces {
		first, end := frames*i/pieces, frames*(i+1)/pieces
		piece := buf[:min((end-first)*frame, pieceBytes)]
		n, err := f.ReadAt(piece, s.at+first*frame)
		if err != nil && !errors.Is(err, io.EOF) {
			return api.Wave{}, fmt.Errorf("read sound: %w", err)
		}
		for k := 0; k+1 < n; k += 2 {
			level := int(int16(binary.LittleEndian.Uint16(piece[k:])))
			channel := loud[k/2%s.channels]
			channel[i] = max(channel[i], max(level, -level)*100>>15)
		}
	}
	return out, nil
}

// findSound reads the head of a WAV file (RIFF, Multimedia Programming Interface 1.0, chapter 3). A
// data chunk that claims more than there is, as of a recording that is being written, ends with the
// file.
func findSound(f io.ReaderAt, size int64) (s sound, err error) {
	head := make([]byte, maxHead)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return s, fmt.Errorf("read head: %w", err)
	}
	head = head[:n]
	if n < 12 || string(head[:4]) != "RIFF" || string(head[8:12]) != "WAVE" {
		return s, errors.New("it is no WAV file")
	}
	le := binary.LittleEndian
	for at := int64(12); at+8 <= int64(n); {
		name, length := string(head[at:at+4]), int64(le.Uint32(head[at+4:]))
		body := at + 8
		switch {
		case name == "fmt " && body+16 <= int64(n):
			if format, bits := le.Uint16(head[body:]), le.Uint16(head[body+14:]); format != 1 || bits != 16 {
				return s, fmt.Errorf("it is of format %d with %d bits, not 16-bit PCM", format, bits)
			}
			s.channels, s.rate = int(le.Uint16(head[body+2:])), int(le.Uint32(head[body+4:]))
		case name == "data":
			if s.channels < 1 || s.channels > 2 || s.rate < 1000 || s.rate > 192_000 {
				return s, fmt.Errorf("it has %d channels at %d Hz", s.channels, s.rate)
			}
			s.at, s.size = body, min(length, size-body)
			return s, nil
		}
		at = body + length + length&1
	}
	return s, errors.New("it has no sound")
}
