package gsm

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"branchline/drivers/soundport"
)

// wire is the two open ports of a module and the goroutines that read them.
type wire struct {
	at    io.ReadWriteCloser
	pump  *soundport.Pump
	heard chan []byte // what the AT port said
	lost  chan error  // a port broke
	done  chan struct{}
	wg    sync.WaitGroup
}

// openWire opens both ports; its owner must close it.
func openWire(o Options) (*wire, error) {
	at, err := o.OpenAT()
	if err != nil {
		return nil, fmt.Errorf("command port: %w", err)
	}
	pcm, err := o.OpenPCM()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sound port: %w", err), at.Close())
	}
	w := &wire{at: at, pump: soundport.NewPump(pcm), heard: make(chan []byte, 64), lost: make(chan error), done: make(chan struct{})}
	w.wg.Go(w.listen)
	w.pump.Start(&w.wg, w.done, w.lost)
	return w, nil
}

// listen reads the AT port until it breaks.
func (w *wire) listen() {
	buf := make([]byte, 1024)
	for {
		n, err := w.at.Read(buf)
		if n > 0 {
			select {
			case w.heard <- slices.Clone(buf[:n]):
			case <-w.done:
				return
			}
		}
		if err != nil {
			select {
			case w.lost <- fmt.Errorf("command port: %w", err):
			case <-w.done:
			}
			return
		}
	}
}

// close closes both ports and waits for their goroutines.
func (w *wire) close() error {
	close(w.done)
	err := errors.Join(w.at.Close(), w.pump.Close())
	w.wg.Wait()
	return err
}
