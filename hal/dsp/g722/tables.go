package g722

// steps is 2048 · 2^(i/32): ILB.
func steps() [32]int32 {
	return [32]int32{
		2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
		2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
	}
}

// lowLimits are the limits between the lower band's codes: Q6. The last ones are out of reach.
func lowLimits() [32]uint32 {
	return [32]uint32{
		0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714,
		786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919, 1 << 20, 1 << 20,
	}
}

// lowCells is how many of the limits are at or below 32·i.
func lowCells() [92]uint8 {
	return [92]uint8{
		0, 0, 1, 2, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11, 12, 12, 13, 13, 14, 14,
		15, 15, 16, 16, 17, 17, 17, 18, 18, 19, 19, 19, 19, 20, 20, 20, 21, 21, 21, 22, 22, 22, 22,
		23, 23, 23, 23, 23, 24, 24, 24, 24, 24, 25, 25, 25, 25, 25, 25, 26, 26, 26, 26, 26, 26, 26,
		27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
	}
}

// lowCodes are the codes by the limits passed, first those of differences above zero, then those
// below: ILP and ILN.
func lowCodes() [64]uint8 {
	return [64]uint8{
		61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46,
		45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 0, 0,
		63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18,
		17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 0, 0,
	}
}

// lowLevels6 is what a code of the lower band stands for, all bits of it: QQ6 by IL6.
func lowLevels6() [64]int32 {
	return [64]int32{
		-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
		-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
		24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
		4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
	}
}

// lowLevels4 is what the upper four bits of a code stand for, by which both ends adapt: QQ4 by RIL4.
func lowLevels4() [16]int32 {
	return [16]int32{
		0, -20456, -12896, -8968, -6288, -4240, -2584, -1200,
		20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
	}
}

// lowPaces is how much the same bits quicken the pace: WL by RL42.
func lowPaces() [16]int32 {
	return [16]int32{
		-60, 3042, 1198, 538, 334, 172, 58, -30,
		3042, 1198, 538, 334, 172, 58, -30, -60,
	}
}

// highLevels is what a code of the upper band stands for: QQ2 by IH2.
func highLevels() [4]int32 { return [4]int32{-7408, -1616, 7408, 1616} }

// highPaces is how much a code quickens the upper band's pace: WH by RH2.
func highPaces() [4]int32 { return [4]int32{798, -214, 798, -214} }
