package network

import (
	"fmt"
	"strings"
	"time"
)

const keptTexts = 200

// Text is a text message that the network has carried.
type Text struct {
	At             time.Time
	From, To, Body string
}

// Reader is a Station that takes text messages. Text must not wait.
type Reader interface {
	Text(from, body string)
}

// Text sends a text message to a subscriber. An error: it has no such number, cannot be reached or
// takes no texts; the network does not try again.
func (n *Network) Text(from, to, body string) error {
	n.mu.Lock()
	a := n.subscribers[to]
	off := a != nil && a.off
	n.mu.Unlock()
	if a == nil || off {
		return fmt.Errorf("text to %q: nobody is reached there", to)
	}
	reader, ok := a.station.(Reader)
	if !ok {
		return fmt.Errorf("text to %q: it takes no texts", to)
	}
	n.keep(Text{time.Now(), from, to, body})
	reader.Text(from, body)
	return nil
}

// Text sends a text message of the subscriber's. To somebody outside it always arrives: Texts has it.
func (a *Access) Text(to, body string) error {
	a.net.mu.Lock()
	inside := a.net.subscribers[to] != nil
	a.net.mu.Unlock()
	if inside {
		return a.net.Text(a.number, to, body)
	}
	a.net.keep(Text{time.Now(), a.number, to, body})
	return nil
}

func (n *Network) keep(t Text) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts = append(n.texts, t)
	n.texts = n.texts[max(0, len(n.texts)-keptTexts):]
}

// Texts are the last texts that were carried, oldest first.
func (n *Network) Texts() []Text {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Text(nil), n.texts...)
}

// Service is what the network answers to a USSD request, keyed in at once or step by step in the same
// session; more asks for another step. known is false for one that it does not have.
func Service(steps []string) (text string, more, known bool) {
	switch strings.Join(steps, " ") {
	case "*100#":
		return `Balance: 12.50, "flat" until 31.12.`, false, true
	case "*101#":
		return "1 data\n2 balance", true, true
	case "*101# 1":
		return "Data: 3 GB", false, true
	case "*101# 2":
		return "Balance: 12.50", false, true
	default:
		return "", false, false
	}
}
