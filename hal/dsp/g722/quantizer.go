package g722

// step is the size of the quantizer's step, DETL or DETH: SCALEL with shift 8, SCALEH with 10.
func step(steps *[32]int32, nb int32, shift uint32) int32 {
	return steps[nb>>6&31] << 1 >> ((shift + 1 - uint32(nb)>>11) & 31) << 2
}

// quantizer finds the code of a difference in the lower band: QUANTL.
type quantizer struct {
	limits [32]uint32
	cells  [92]uint8
	codes  [64]uint8
}

func newQuantizer() quantizer {
	return quantizer{limits: lowLimits(), cells: lowCells(), codes: lowCodes()}
}

// low is the code of the difference e where the step is det. QUANTL asks by turns whether the
// magnitude is below ⌊limit·det / 4096⌋. It is not where limit ≤ ⌊((magnitude+1)·4096 - 1) / det⌋, so
// one division answers for all limits; as they lie 35 apart or more, a cell of 32 holds one at most.
func (q *quantizer) low(e, det int32) int32 {
	neg := e >> 31
	ratio := (uint32((e^neg)+1)<<12 - 1) / uint32(det)
	ratio = min(ratio, 32*uint32(len(q.cells))-1)
	n := uint32(q.cells[ratio>>5])
	n += (q.limits[(n+1)&31] - ratio - 1) >> 31
	return int32(q.codes[(n|uint32(neg)&32)&63])
}

// quantizeHigh is the code of the difference e in the upper band where the step is det: QUANTH.
func quantizeHigh(e, det int32) int32 {
	neg := e >> 31
	far := (564*det>>12 - (e ^ neg) - 1) >> 31 // -1 beyond the limit
	return 3 + 2*neg + far
}
