package packets

// silentAfter is how long nothing may come where sound is due. Phones that send no packets while
// their user is silent send comfort noise or reports more often than that.
const silentAfter = 1000 // ticks: 20 s

// life is what an End knows of its far end's being there.
type life struct {
	quiet  int  // ticks without a sign of it, while sound is due
	silent bool // as last told
}

// due says that the far end must send something: neither side is on hold, and it was not asked to
// listen only.
func (e *End) due() bool {
	return e.agreed && e.used && e.session.Send && e.session.Recv && e.dest.Valid()
}

// Silent is called in every tick. It tells whether nothing at all has come for 20 s where sound is
// due; news: that is another answer than before.
func (e *End) Silent() (silent, news bool) {
	if !e.due() {
		e.life.quiet = 0
	} else {
		e.life.quiet++
	}
	silent = e.life.quiet > silentAfter
	news = silent != e.life.silent
	e.life.silent = silent
	return silent, news
}
