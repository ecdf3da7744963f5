// Package dsp is arithmetic on sound: G.711, tones and their cadences by country, telephone keys
// (DTMF) made and recognised, levels, a change of rate between 8 and 16 kHz, and the WAV form.
//
// It is pure: samples come in, samples go out, nothing waits and nothing is remembered outside of
// the values that the caller holds. Below: g722 (wideband in 64 kbit/s), plc (gaps of lost packets filled), pause
// (voice told from noise, comfort noise). What runs in the 20 ms tick (G.711, Generator.Fill,
// KeyDetector.Feed, Halver, Doubler) allocates nothing. Samples are 16-bit mono. Start reading at
// Tone and Generator.
package dsp
