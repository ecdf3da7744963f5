package rtp

// Sizes in samples of 8 kHz.
const (
	Frame     = 160       // 20 ms: what Get takes
	minTarget = 2 * Frame // 40 ms: what is gathered before a stream sounds
	maxTarget = 5 * Frame // 100 ms: how far a rough net stretches that
	limit     = 8 * Frame // more than this is a backlog: the old part is thrown away
	ringLen   = 4096      // a power of two, more than limit and the longest packet together
	maxPacket = 6 * Frame // 120 ms

	patience   = 5   // ticks of waiting for a late packet before the stream counts as paused
	lookBack   = 50  // ticks over which an overlong buffer must be steady before it is cut
	calmEnough = 500 // ticks without trouble after which the target shrinks again
)

// Jitter turns packets that come early, late, twice or never into 20 ms frames. It holds 40 ms,
// stretches to 100 ms on a rough net, shrinks again, and never keeps a backlog. The zero value is
// ready. Its counters only grow.
type Jitter struct {
	Late, Lost, Duplicate, Resync uint64 // packets; frames; packets; jumps

	ring [ringLen]int16
	have [ringLen / 64]uint64 // a bit for each sample of ring that holds sound

	head, end uint32 // timestamps: the next to sound, and after the last that came
	open      bool   // there is a stream, perhaps still gathering
	playing   bool
	soon      bool // it is to sound as soon as there is a frame
	target    int
	waited    int // ticks of gathering
	held      int // ticks that head stood still because nothing was there

	ticks, lowest, calm int

	last    [Frame]int16 // what sounded last, for what is lost
	mending int          // frames in a row that were made up
}

// Reset forgets the stream; the next packet begins a new one.
func (j *Jitter) Reset() {
	j.have = [ringLen / 64]uint64{}
	j.open, j.soon, j.playing = false, false, false
}

// Resume begins in the middle of a stream whose sound before timestamp has been heard already: it
// sounds a frame sooner than a new one, and nothing before timestamp does.
func (j *Jitter) Resume(timestamp uint32) {
	j.begin(timestamp)
	j.soon = true
	j.mending = 2 // what sounded last is long ago
}

// Ready says that the next Get gives sound, and none that lies a frame or more before timestamp.
func (j *Jitter) Ready(timestamp uint32) bool {
	need := Frame
	if !j.playing {
		need = j.start()
	}
	return j.open && int(int32(j.end-j.head)) >= need && !j.Behind(timestamp)
}

// Behind says that the next Get gives a frame that lies before timestamp.
func (j *Jitter) Behind(timestamp uint32) bool {
	return j.open && int32(timestamp-j.head) >= Frame
}

// Rest copies what has come but has not sounded, from timestamp on, and says how much of it there
// was, up to the room in pcm; what is missing is silence.
func (j *Jitter) Rest(timestamp uint32, pcm []int16) int {
	left := int(int32(j.end - timestamp))
	n := min(max(left, 0), len(pcm), limit)
	for i := range n {
		pcm[i] = 0
		if at := timestamp + uint32(i); j.has(at) {
			pcm[i] = j.ring[at%ringLen]
		}
	}
	return n
}

// Span is where the stream stands: the timestamps of what sounds next, and after all that came or
// was made up. False: there is no stream.
func (j *Jitter) Span() (head, end uint32, ok bool) {
	return j.head, j.end + uint32(j.held)*Frame, j.open
}

// Put takes the decoded sound of a packet; marker is its first-of-a-spurt bit.
func (j *Jitter) Put(timestamp uint32, marker bool, pcm []int16) {
	if len(pcm) == 0 || len(pcm) > maxPacket {
		return
	}
	if !j.open {
		j.begin(timestamp)
	}
	ahead := int(int32(timestamp - j.head))
	if ahead < 0 && !j.playing && !j.soon && int(int32(j.end-timestamp)) <= limit {
		j.head, ahead = timestamp, 0 // the first packets came out of order
	}
	if ahead < 0 {
		j.Late++ // where the sender's clock has jumped back the stream soon counts as paused and begins anew
		return
	}
	if j.held > 0 {
		ahead -= j.catchUp(ahead, marker)
	}
	if over := ahead + len(pcm); over > limit {
		j.skip(over - max(j.aim(), len(pcm)))
		j.Resync++
	}
	j.store(timestamp, pcm)
}

// begin starts to gather a stream at timestamp.
func (j *Jitter) begin(timestamp uint32) {
	j.Reset()
	j.open = true
	j.head, j.end = timestamp, timestamp
	j.waited, j.held = 0, 0
}

// catchUp ends a time of waiting: what was made up meanwhile need not sound again, and if the
// packet was merely late the buffer becomes deeper. It returns how far head went on.
func (j *Jitter) catchUp(ahead int, marker bool) int {
	waited := j.held * Frame
	j.held = 0
	went := min(ahead, waited)
	j.skip(went)
	if went < waited && !marker {
		j.target = min(j.aim()+Frame, maxTarget)
		j.calm = 0
	}
	return went
}

func (j *Jitter) aim() int { return max(j.target, minTarget) }

// start is how much is gathered before the stream sounds.
func (j *Jitter) start() int {
	if j.soon {
		return j.aim() - Frame
	}
	return j.aim()
}

// store writes pcm into the ring. The caller made sure that it fits.
func (j *Jitter) store(timestamp uint32, pcm []int16) {
	if j.has(timestamp) {
		j.Duplicate++
		return
	}
	for i, s := range pcm {
		at := (timestamp + uint32(i)) % ringLen
		j.ring[at] = s
		j.have[at/64] |= 1 << (at % 64)
	}
	if end := timestamp + uint32(len(pcm)); int32(end-j.end) > 0 {
		j.end = end
	}
}

func (j *Jitter) has(timestamp uint32) bool {
	at := timestamp % ringLen
	return j.have[at/64]>>(at%64)&1 == 1
}

// skip moves head on by n samples and forgets them.
func (j *Jitter) skip(n int) {
	if n >= ringLen {
		j.have = [ringLen / 64]uint64{}
	} else {
		for i := range uint32(n) {
			at := (j.head + i) % ringLen
			j.have[at/64] &^= 1 << (at % 64)
		}
	}
	j.head += uint32(n)
	if int32(j.end-j.head) < 0 {
		j.end = j.head
	}
}

// Get fills pcm, Frame samples long, with what sounds next. False: silence, nothing is to be heard.
func (j *Jitter) Get(pcm []int16) bool {
	pcm = pcm[:Frame]
	if !j.open {
		clear(pcm)
		return false
	}
	level := int(int32(j.end - j.head))
	if !j.playing {
		j.waited++
		if level < j.start() && j.waited <= j.start()/Frame {
			clear(pcm)
			return false
		}
		j.playing, j.ticks, j.lowest = true, 0, level
	}
	if level < Frame {
		return j.wait(pcm)
	}
	j.take(pcm)
	j.trim(level)
	return true
}

// wait makes up a frame while nothing is there, and after a while calls the stream paused.
func (j *Jitter) wait(pcm []int16) bool {
	if j.held++; j.held > patience {
		j.Reset()
	}
	return j.mend(pcm)
}

// take moves one frame out of the ring.
func (j *Jitter) take(pcm []int16) {
	found := 0
	for i := range pcm {
		at := (j.head + uint32(i)) % ringLen
		bit := uint64(1) << (at % 64)
		pcm[i] = 0
		if j.have[at/64]&bit != 0 {
			pcm[i] = j.ring[at]
			j.have[at/64] &^= bit
			found++
		}
	}
	j.head += Frame
	if found == 0 {
		j.Lost++
		j.mend(pcm)
		return
	}
	copy(j.last[:], pcm)
	j.mending = 0
}

// mend makes up a frame of the one before, fading out. False: it has faded.
func (j *Jitter) mend(pcm []int16) bool {
	if j.mending++; j.mending > 2 {
		clear(pcm)
		return false
	}
	for i, s := range j.last {
		pcm[i] = s >> j.mending
	}
	return true
}

// trim cuts a buffer that was deeper than needed for a whole second, and lets the target shrink
// when the net has been calm.
func (j *Jitter) trim(level int) {
	j.lowest = min(j.lowest, level)
	if j.calm++; j.calm >= calmEnough {
		j.calm = 0
		j.target = max(j.aim()-Frame, minTarget)
	}
	if j.ticks++; j.ticks < lookBack {
		return
	}
	if over := (j.lowest - j.aim()) / Frame; over > 0 {
		j.skip(over * Frame)
	}
	j.ticks, j.lowest = 0, limit
}
