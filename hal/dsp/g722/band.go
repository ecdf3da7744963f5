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
	sum    int32     // of the last six differences, doubled
	u      [2]uint64 // the coefficients of the zeros, the newest in the lowest lane; see turn
	neg    [2]uint64 // bit 8 of a lane: its difference is below zero
	d      [6]int32  // DLT, DH doubled: those differences, the oldest first, between two chunks
}

// past is what a chunk of differences needs in front of it: the six before.
type past [6 + chunk]int32

const (
	lane  = 21
	lanes = 1 | 1<<lane | 1<<(2*lane) // a one in each lane
)

// word is v within 16 bits: what ADD and SUB of the recommendation do.
func word(v int32) int32 { return min(max(v, -32768), 32767) }

// clamp15 is v within 15 bits: LIMIT.
func clamp15(v int32) int32 { return min(max(v, -16384), 16383) }

// adapt takes the difference that both ends know, doubled the last of d, and foretells the next sample;
// the others of d are the six before. The order is that of the recommendation's block 4: RECONS, PARREC, UPPOL2,
// UPPOL1, UPZERO, DELAYA, FILTEP, FILTEZ, PREDIC.
//
// UPZERO: a coefficient b becomes ⌊255/256 b⌋ ± 128, by whether its difference has the sign of the new
// one. With u = b + 32768 that is u - ⌈u/256⌉ + 256 or 0, never beyond 16 bits; and + 128 where the new
// one is 0.
func (f *band) adapt(d *[7]int32) {
	twice := d[6]
	u0, u1 := f.u[0], f.u[1]
	u0 -= (u0 + 255*lanes) >> 8 & (0x1ff * lanes)
	u1 -= (u1 + 255*lanes) >> 8 & (0x1ff * lanes)
	if twice != 0 {
		same := ^uint64(int64(twice >> 31))
		u0 += (f.neg[0] ^ same) & (256 * lanes)
		u1 += (f.neg[1] ^ same) & (256 * lanes)
	} else {
		u0 += 128 * lanes
		u1 += 128 * lanes
	}
	f.u[0], f.u[1] = u0, u1
	f.neg[1] = f.neg[1]<<lane | f.neg[0]>>(2*lane)&256
	f.neg[0] = f.neg[0]<<lane | uint64(uint32(twice)>>31)<<8

	f.sum += twice - d[0]
	z := twice*lowest(u0)>>15 + d[5]*lowest(u0>>lane)>>15 + d[4]*lowest(u0>>(2*lane))>>15 - f.sum // d·(u - 32768) >> 15 is (d·u >> 15) - d
	z += d[3]*lowest(u1)>>15 + d[2]*lowest(u1>>lane)>>15 + d[1]*lowest(u1>>(2*lane))>>15

	p := f.sz + twice>>1
	same1, turned2 := ^(p^f.p1)>>31, (p^f.p2)>>31 // -1 where the sign is the same, is another
	f.p2, f.p1 = f.p1, p
	// UPPOL2: ∓4·AL1 within 16 bits, / 128. UPPOL1: one limit, set by the new AL2.
	a2 := min(max((f.a1^same1-same1)>>5, -256), 255) + 128 + turned2&-256 + f.a2*127>>7
	a2 = min(max(a2, -12288), 12288)
	a1 := min(max(f.a1*255>>8-192+384&same1, a2-15360), 15360-a2)
	r2 := f.r1
	r1 := word(2*f.s + twice) // doubled and limited in one
	f.a1, f.a2, f.r2, f.r1 = a1, a2, r2, r1
	poles := r1*a1>>15 + r2*a2>>15
	s := poles + z
	if uint32(z+32768)|uint32(poles+32768)|uint32(s+32768) > 65535 { // too loud, and rare
		z = word(z)
		s = word(word(poles) + z)
	}
	f.sz, f.s = z, s
}

// turn turns the top bits of the coefficients: around a chunk, so that they are u inside and b outside,
// where 0 is 0.
func (f *band) turn() {
	f.u[0] ^= 0x8000 * lanes
	f.u[1] ^= 0x8000 * lanes
}

// lowest is the coefficient in the lowest lane, above zero.
func lowest(u uint64) int32 { return int32(uint16(u)) }
