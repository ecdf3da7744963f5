package g722

// band is the memory of one half of the spectrum: two poles and six zeros that foretell the next
// sample, and the pace of the quantizer. The zero value begins a stream.
//
// The coefficients of the zeros, BL and BH, lie three to a word in lanes of 21 bits, so that all of
// them adapt at once.
type band struct {
	s, sz  int32     // SL, SH: the next sample foretold; SZL, SZH: the zeros' part of it
	nb     int32     // NBL, NBH: the logarithm of the quantizer's step
	a1, a2 int32     // AL, AH: the poles
	r1, r2 int32     // RLT, RH doubled: the last two samples rebuilt
	p1, p2 int32     // PLT, PH: the same by the zeros alone; their signs count
	sum    int32     // of d
	d      [6]int32  // DLT, DH doubled: the last differences
	b      [2]uint64 // their coefficients, newest in the lowest lane
	neg    [2]uint64 // bit 8 of a lane: its difference is below zero
}

const (
	lane  = 21
	lanes = 1 | 1<<lane | 1<<(2*lane) // a one in each lane
)

// word is v within 16 bits: what ADD and SUB of the recommendation do.
func word(v int32) int32 { return min(max(v, -32768), 32767) }

// clamp15 is v within 15 bits: LIMIT.
func clamp15(v int32) int32 { return min(max(v, -16384), 16383) }

// adapt takes the difference d that both ends know and foretells the next sample. The order is that
// of clause 6.2.1.3: RECONS, PARREC, UPPOL2, UPPOL1, UPZERO, DELAYA, FILTEP, FILTEZ, PREDIC.
func (f *band) adapt(d int32) {
	r, p := word(f.s+d), word(f.sz+d)
	turned1, turned2 := (p^f.p1)>>31, (p^f.p2)>>31 // -1 where the sign is another
	f.p2, f.p1 = f.p1, p

	a := min(-word(4*f.a1)^turned1-turned1, 32767)>>7 + (128 ^ turned2 - turned2) + f.a2*32512>>15
	f.a2 = min(max(a, -12288), 12288)
	most := 15360 - f.a2
	f.a1 = min(max((192^turned1-turned1)+f.a1*32640>>15, -most), most)

	f.zeros(d)
	f.r2, f.r1 = f.r1, word(2*r)
	f.s = word(word(f.r1*f.a1>>15+f.r2*f.a2>>15) + f.sz)
}

// zeros is UPZERO, DELAYA and FILTEZ. A coefficient b becomes ⌊255/256 b⌋ ± 128, by whether its
// difference has the sign of d. With u = b + 32768 that is u - ⌈u/256⌉ + 256 or 0, never beyond 16
// bits; and where d is 0, + 128. What is kept is u with its top bit turned, so that 0 is 0.
func (f *band) zeros(d int32) {
	const top = 0x8000 * lanes
	u0, u1 := f.b[0]^top, f.b[1]^top
	u0 -= (u0 + 255*lanes) >> 8 & (0x1ff * lanes)
	u1 -= (u1 + 255*lanes) >> 8 & (0x1ff * lanes)
	if d != 0 {
		same := ^uint64(int64(d) >> 63)
		u0 += (f.neg[0] ^ same) & (256 * lanes)
		u1 += (f.neg[1] ^ same) & (256 * lanes)
	} else {
		u0 += 128 * lanes
		u1 += 128 * lanes
	}
	f.b[0], f.b[1] = u0^top, u1^top
	f.neg[1] = f.neg[1]<<lane | f.neg[0]>>(2*lane)&256
	f.neg[0] = f.neg[0]<<lane | uint64(uint32(d)>>31)<<8

	d0, d1, d2, d3, d4 := 2*d, f.d[0], f.d[1], f.d[2], f.d[3]
	d5 := f.d[4]
	f.sum += d0 - f.d[5]
	f.d = [6]int32{d0, d1, d2, d3, d4, d5}
	const mask = 0xffff
	z := int32(int64(d0)*int64(u0&mask)>>15) + int32(int64(d1)*int64(u0>>lane&mask)>>15) + int32(int64(d2)*int64(u0>>(2*lane))>>15)
	z += int32(int64(d3)*int64(u1&mask)>>15) + int32(int64(d4)*int64(u1>>lane&mask)>>15) + int32(int64(d5)*int64(u1>>(2*lane))>>15)
	f.sz = word(z - f.sum) // d·(u - 32768) >> 15 is (d·u >> 15) - d
}
