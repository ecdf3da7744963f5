package dsp

import (
	"strconv"
	"strings"
	"time"
)

// toneGain is the amplitude of each frequency of a tone: two of them make -13 dBm0.
const toneGain = 0.15

// Tone is the tone called name as it sounds in country (ISO 3166, two letters; also "UK").
//
// Names are "dial", "ringback", "busy", "congestion"; and, the same everywhere, "sit" (number not
// in service), "beep" (speak after it; it sounds once and then rests) and "music" (a quiet tune of
// our own for those who wait). A country without a row gets the tones of most of Europe, 425 Hz.
// False: there is no such name. The caller owns the Cadence.
func Tone(country, name string) (Cadence, bool) {
	dial, ringback, busy, congestion := zone(country)
	switch name {
	case "dial":
		return cadence(dial), true
	case "ringback":
		return cadence(ringback), true
	case "busy":
		return cadence(busy), true
	case "congestion":
		return cadence(congestion), true
	case "sit": // ITU-T E.180
		return Cadence{
			{Hz: [4]float64{950}, Gain: 2 * toneGain, For: 330 * time.Millisecond},
			{Hz: [4]float64{1400}, Gain: 2 * toneGain, For: 330 * time.Millisecond},
			{Hz: [4]float64{1800}, Gain: 2 * toneGain, For: 330 * time.Millisecond},
			{For: time.Second},
		}, true
	case "beep":
		return Cadence{{Hz: [4]float64{1000}, Gain: 2 * toneGain, For: 200 * time.Millisecond}, {}}, true
	case "music":
		return tune(), true
	}
	return nil, false
}

// zone lists the tones of a country as "frequencies/on,off,on,off": "+" adds frequencies, "×"
// modulates the first by the second, "~" makes every second burst 10 dB quieter. No times:
// continuous. Sources: DAHDI zonedata.c and Asterisk indications.conf.
func zone(country string) (dial, ringback, busy, congestion string) {
	switch strings.ToUpper(country) {
	case "US", "CA":
		return "350+440", "440+480/2000,4000", "480+620/500,500", "480+620/250,250"
	case "CN":
		return "450", "450/1000,4000", "450/350,350", "450/700,700"
	case "GB", "UK":
		return "350+440", "400+450/400,200,400,2000", "400/375,375", "400/400,350,225,525"
	case "DE":
		return "425", "425/1000,4000", "425/480,480", "425/240,240"
	case "FR":
		return "440", "440/1500,3500", "440/500,500", "440/250,250"
	case "JP":
		return "400", "400+15/1000,2000", "400/500,500", "400/500,500"
	case "ES":
		return "425", "425/1500,3000", "425/200,200", "425/200,200,200,200,200,600"
	case "IT":
		return "425/200,200,600,1000", "425/1000,4000", "425/500,500", "425/200,200"
	case "RU":
		return "425", "425/1000,4000", "425/350,350", "425/175,175"
	case "BR":
		return "425", "425/1000,4000", "425/250,250", "425/250,250,750,250"
	case "AU":
		return "415+440", "413+438/400,200,400,2000", "425/375,375", "425~/375,375,375,375"
	case "IN":
		return "400×25", "400×25/400,200,400,2000", "400/750,750", "400/250,250"
	case "PL":
		return "425", "425/1000,4000", "425/500,500", "425/500,500"
	}
	return "425", "425/1000,4000", "425/500,500", "425/250,250" // NL, and most of Europe
}

// cadence reads one entry of zone.
func cadence(entry string) Cadence {
	tones, times, pulsed := strings.Cut(entry, "/")
	tones, quieter := strings.CutSuffix(tones, "~")
	on := Step{Gain: toneGain}
	if hz, beat, ok := strings.Cut(tones, "×"); ok {
		tones, on.Beat = hz, number(beat)
	}
	parts := strings.Split(tones, "+")
	for i, hz := range parts {
		on.Hz[i] = number(hz)
	}
	if len(parts) == 1 {
		on.Gain = 2 * toneGain
	}
	if !pulsed {
		return Cadence{on}
	}
	var c Cadence
	for i, ms := range strings.Split(times, ",") {
		s := Step{}
		if i%2 == 0 {
			s = on
		}
		if quieter && i%4 == 2 {
			s.Gain *= 0.316
		}
		s.For = time.Duration(number(ms)) * time.Millisecond
		c = append(c, s)
	}
	return c
}

// number reads a number of our own table; a test walks over all of them.
func number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("dsp: tone table: " + err.Error())
	}
	return v
}

// tune is four bars of broken chords, over and over, quiet and within the telephone band.
func tune() Cadence {
	const (
		a3, c4, d4, e4, f4, g4, a4 = 220.00, 261.63, 293.66, 329.63, 349.23, 392.00, 440.00
		b4, c5, d5, e5, f5, g5, a5 = 493.88, 523.25, 587.33, 659.26, 698.46, 783.99, 880.00
		note                       = 360 * time.Millisecond
	)
	bars := [][9]float64{ // a bass note, then eight notes over it
		{c4, e5, g4, c5, e5, g5, e5, c5, g4},
		{a3, c5, e4, a4, c5, e5, c5, a4, e4},
		{f4, a4, c5, f5, a5, f5, c5, a4, f4},
		{g4, b4, d5, g5, d5, b4, d5, b4, d4},
	}
	var c Cadence
	for _, bar := range bars {
		for i, hz := range bar[1:] {
			s := Step{Hz: [4]float64{hz, hz * 2}, Gain: 0.05, For: note, Decay: note}
			if i%4 == 0 {
				s.Hz[2] = bar[0]
				s.Hz[3] = bar[0] * 2
			}
			c = append(c, s)
		}
	}
	return c
}
