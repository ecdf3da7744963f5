package udp

import "golang.org/x/sys/unix"

// soundNice is the nice value of a thread that carries it: what waits 20 ms too long is heard.
const soundNice = -15

// Hurry puts the calling thread, which must be locked to its goroutine, before all ordinary ones, or
// back among them. Without the right to it (CAP_SYS_NICE) nothing happens.
func Hurry(on bool) {
	nice := 0
	if on {
		nice = soundNice
	}
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), nice) // of the thread: setpriority(2), NOTES
}
