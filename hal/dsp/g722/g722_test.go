package g722

import (
	"math"
	"math/rand"
	"slices"
	"testing"

	oracle "github.com/gotranspile/g722"
)

const rate = 16000

// sounds are some seconds each of what a codec meets.
func sounds() map[string][]int16 {
	chance := rand.New(rand.NewSource(722))
	const n = 2 * rate
	make16 := func(at func(i int) float64) []int16 {
		pcm := make([]int16, n)
		for i := range pcm {
			pcm[i] = int16(math.Round(min(max(at(i), -32768), 32767)))
		}
		return pcm
	}
	tone := func(hz, peak float64) []int16 {
		return make16(func(i int) float64 { return peak * math.Sin(2*math.Pi*hz*float64(i)/rate) })
	}
	return map[string][]int16{
		"silence": make([]int16, n),
		"speech":  speech(n),
		"loud speech": make16(func() func(i int) float64 {
			s := speech(n)
			return func(i int) float64 { return 8 * float64(s[i]) }
		}()),
		"300 Hz":        tone(300, 8000),
		"1 kHz full":    tone(1000, 32767),
		"4 kHz":         tone(4000, 12000),
		"6.9 kHz full":  tone(6900, 32767),
		"faint":         tone(440, 3),
		"sweep":         make16(func(i int) float64 { return 30000 * math.Sin(math.Pi*float64(i)*float64(i)/n/2) }),
		"square, full":  make16(func(i int) float64 { return 65535*float64(i/40%2) - 32768 }),
		"alternating":   make16(func(i int) float64 { return 65535*float64(i%2) - 32768 }),
		"noise":         make16(func(int) float64 { return 6000 * chance.NormFloat64() }),
		"random words":  make16(func(int) float64 { return float64(chance.Intn(65536) - 32768) }),
		"random signs":  make16(func(int) float64 { return 65535*float64(chance.Intn(2)) - 32768 }),
		"steps":         make16(func(i int) float64 { return 32767 * float64(i/4000%3-1) }),
		"rare clicks":   make16(func(i int) float64 { return 32767 * float64(max(0, 1-i%1601)) }),
		"lowest always": make16(func(int) float64 { return -32768 }),
	}
}

// speech is like it in what the codec adapts to: a gliding pitch with formants, syllables, hisses and pauses.
func speech(n int) []int16 {
	chance := rand.New(rand.NewSource(1))
	pcm := make([]int16, n)
	phase := 0.0
	for i := range pcm {
		t := float64(i) / rate
		pitch := 120 + 40*math.Sin(2*math.Pi*0.7*t)
		phase += 2 * math.Pi * pitch / rate
		loud := max(0, math.Sin(2*math.Pi*3.1*t)+0.4)
		v := 0.0
		for k := 1; k <= 30; k++ {
			hz := pitch * float64(k)
			formant := 1/(1+square((hz-600-200*math.Sin(4*t))/150)) + 0.5/(1+square((hz-1700)/250)) + 0.1/(1+square((hz-3200)/400))
			v += formant * math.Sin(float64(k)*phase)
		}
		v *= 3000 * loud
		if math.Sin(2*math.Pi*1.3*t) > 0.8 {
			v += 1200 * chance.NormFloat64()
		}
		pcm[i] = int16(min(max(v, -32768), 32767))
	}
	return pcm
}

func TestOctetsAreThoseOfAnIndependentImplementation(t *testing.T) {
	for name, pcm := range sounds() {
		want := make([]byte, len(pcm)/2)
		oracle.NewEncoder(oracle.Rate64000, 0).Encode(want, pcm)
		got := make([]byte, len(want))
		if n := new(Encoder).Encode(got, pcm); n != len(want) {
			t.Errorf("%s: %d octets, want %d", name, n, len(want))
		}
		same(t, name, got, want)
	}
}

func TestSamplesAreThoseOfAnIndependentImplementation(t *testing.T) {
	streams := map[string][]byte{}
	for name, pcm := range sounds() {
		streams[name] = make([]byte, len(pcm)/2)
		oracle.NewEncoder(oracle.Rate64000, 0).Encode(streams[name], pcm)
	}
	chance := rand.New(rand.NewSource(2))
	random := make([]byte, 4*rate)
	for i := range random {
		random[i] = byte(chance.Intn(256))
	}
	streams["random octets"] = random
	for c := range 256 { // the worst that a far end can do is one octet for ever
		streams["all "+string(rune('0'+c))] = slices.Repeat([]byte{byte(c)}, 2000)
	}
	for name, code := range streams {
		want := make([]int16, 2*len(code))
		oracle.NewDecoder(oracle.Rate64000, 0).Decode(want, code)
		got := make([]int16, len(want))
		if n := new(Decoder).Decode(got, code); n != len(want) {
			t.Errorf("%s: %d samples, want %d", name, n, len(want))
		}
		same(t, name, got, limited(name, got, want))
	}
}

// limited is what the oracle says, with LIMIT where it forgets it (at the end of the receive filter): a sample beyond full
// scale comes out of it with its upper bits cut off. Nothing but that is forgiven, and only to sounds
// that go there.
func limited(name string, got, want []int16) []int16 {
	if slices.Contains([]string{"silence", "speech", "300 Hz", "4 kHz", "faint", "noise"}, name) {
		return want
	}
	want = slices.Clone(want)
	for i := range want {
		if got[i] == 32767 || got[i] == -32768 {
			want[i] = got[i]
		}
	}
	return want
}

func same[T byte | int16](t *testing.T, name string, got, want []T) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: at %d of %d: %d, want %d", name, i, len(want), got[i], want[i])
			return
		}
	}
}

func TestSoundIsTheSameHoweverItIsCut(t *testing.T) {
	pcm := speech(rate)
	whole, cut := make([]byte, len(pcm)/2), make([]byte, len(pcm)/2)
	new(Encoder).Encode(whole, pcm)
	var e Encoder
	for at, n := 0, 1; at < len(cut); n = n%333 + 1 {
		end := min(at+n, len(cut))
		e.Encode(cut[at:end], pcm[2*at:2*end])
		at = end
	}
	same(t, "encoded", cut, whole)
	out, pieces := make([]int16, len(pcm)), make([]int16, len(pcm))
	new(Decoder).Decode(out, whole)
	var d Decoder
	for at, n := 0, 1; at < len(whole); n = n%333 + 1 {
		end := min(at+n, len(whole))
		d.Decode(pieces[2*at:2*end], whole[at:end])
		at = end
	}
	same(t, "decoded", pieces, out)
}

func TestSpeechComesBack22SamplesLaterAndClear(t *testing.T) {
	pcm := speech(2 * rate)
	code, back := make([]byte, len(pcm)/2), make([]int16, len(pcm))
	new(Encoder).Encode(code, pcm)
	new(Decoder).Decode(back, code)
	var signal, noise float64
	for i, x := range pcm[:len(pcm)-22] {
		signal += float64(x) * float64(x)
		noise += square(float64(x) - float64(back[i+22]))
	}
	if db := 10 * math.Log10(signal/noise); db < 20 {
		t.Errorf("signal to noise %.1f dB, want 20", db)
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	var e Encoder
	var d Decoder
	pcm, code := speech(320), make([]byte, 160)
	if n := testing.AllocsPerRun(100, func() { e.Encode(code, pcm); d.Decode(pcm, code) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzCodecIsThatOfTheOracle(f *testing.F) {
	f.Add([]byte("all of this is sound"), true)
	f.Fuzz(func(t *testing.T, b []byte, decode bool) {
		if decode {
			got, want := make([]int16, 2*len(b)), make([]int16, 2*len(b))
			new(Decoder).Decode(got, b)
			oracle.NewDecoder(oracle.Rate64000, 0).Decode(want, b)
			same(t, "decoded", got, limited("", got, want))
			return
		}
		pcm := make([]int16, len(b)/4*2)
		for i := range pcm {
			pcm[i] = int16(b[2*i])<<8 | int16(b[2*i+1])
		}
		got, want := make([]byte, len(pcm)/2), make([]byte, len(pcm)/2)
		new(Encoder).Encode(got, pcm)
		oracle.NewEncoder(oracle.Rate64000, 0).Encode(want, pcm)
		same(t, "encoded", got, want)
	})
}

// BenchmarkG722 is a frame of 20 ms, speech, ours and the oracle's. Goal: a quarter of the oracle's.
func BenchmarkG722(b *testing.B) {
	const frames = 100
	pcm, code, out := speech(320*frames), make([]byte, 160*frames), make([]int16, 320)
	new(Encoder).Encode(code, pcm)
	octets := make([]byte, 160)
	var e Encoder
	var d Decoder
	oe, od := oracle.NewEncoder(oracle.Rate64000, 0), oracle.NewDecoder(oracle.Rate64000, 0)
	for _, c := range []struct {
		name string
		f    func(pcm []int16, code []byte)
	}{
		{"encode", func(pcm []int16, _ []byte) { e.Encode(octets, pcm) }},
		{"decode", func(_ []int16, code []byte) { d.Decode(out, code) }},
		{"oracle-encode", func(pcm []int16, _ []byte) { oe.Encode(octets, pcm) }},
		{"oracle-decode", func(_ []int16, code []byte) { od.Decode(out, code) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				k := i % frames
				c.f(pcm[320*k:320*k+320], code[160*k:160*k+160])
			}
		})
	}
}

func square(v float64) float64 { return v * v }
