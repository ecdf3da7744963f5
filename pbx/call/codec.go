package call

import (
	"encoding/json"
	"fmt"
)

// Encode gives the stored form of f: a JSON object whose first member is its kind.
func Encode(f Fact) ([]byte, error) {
	if u, ok := f.(Unknown); ok {
		return u.Raw, nil
	}
	body, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", f.Kind(), err)
	}
	out := make([]byte, 0, len(body)+len(f.Kind())+12)
	out = append(out, `{"kind":"`...)
	out = append(out, f.Kind()...)
	out = append(out, '"')
	if len(body) > 2 {
		out = append(out, ',')
	}
	return append(out, body[1:]...), nil
}

// Decode reads what Encode wrote, now or in any earlier version. A kind that this program does not
// know is Unknown, with its bytes kept; bytes that are not a fact are an error.
func Decode(raw []byte) (Fact, error) {
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, fmt.Errorf("decode fact: %w", err)
	}
	if head.Kind == "" {
		return nil, fmt.Errorf("decode fact: no kind in %.80q", raw)
	}
	return decodeKind(head.Kind, raw)
}

func decodeKind(kind string, raw []byte) (Fact, error) {
	switch kind {
	case "booted":
		return decode[Booted](raw)
	case "stopped":
		return decode[Stopped](raw)
	case "line_up":
		return decode[LineUp](raw)
	case "line_down":
		return decode[LineDown](raw)
	case "phone_up":
		return decode[PhoneUp](raw)
	case "phone_down":
		return decode[PhoneDown](raw)
	case "guarded":
		return decode[Guarded](raw)
	case "config_applied":
		return decode[ConfigApplied](raw)
	case "unsynced":
		return decode[Unsynced](raw)
	case "synced":
		return decode[Synced](raw)
	case "clock_set":
		return decode[ClockSet](raw)
	case "presence":
		return decode[Presence](raw)
	case "forward_set":
		return decode[ForwardSet](raw)
	case "sign_in_refused":
		return decode[SignInRefused](raw)
	case "trouble":
		return decode[Trouble](raw)
	}
	return decodeOfCall(kind, raw)
}

func decodeOfCall(kind string, raw []byte) (Fact, error) {
	switch kind {
	case "began":
		return decode[Began](raw)
	case "flow_entered":
		return decode[FlowEntered](raw)
	case "keyed":
		return decode[Keyed](raw)
	case "queued":
		return decode[Queued](raw)
	case "dequeued":
		return decode[Dequeued](raw)
	case "offered":
		return decode[Offered](raw)
	case "missed":
		return decode[Missed](raw)
	case "withdrawn":
		return decode[Withdrawn](raw)
	case "dialed":
		return decode[Dialed](raw)
	case "opened":
		return decode[Opened](raw)
	case "alerting":
		return decode[Alerting](raw)
	case "answered":
		return decode[Answered](raw)
	case "connected":
		return decode[Connected](raw)
	case "held":
		return decode[Held](raw)
	case "resumed":
		return decode[Resumed](raw)
	case "recording_started":
		return decode[RecordingStarted](raw)
	case "recording_saved":
		return decode[RecordingSaved](raw)
	case "leg_ended":
		return decode[LegEnded](raw)
	case "ended":
		return decode[Ended](raw)
	}
	return decodeOfParties(kind, raw)
}

// decodeOfParties reads what came later: parties of a call that change.
func decodeOfParties(kind string, raw []byte) (Fact, error) {
	switch kind {
	case "parted":
		return decode[Parted](raw)
	case "transfer":
		return decode[Transfer](raw)
	case "door_opened":
		return decode[DoorOpened](raw)
	case "moved":
		return decode[Moved](raw)
	case "parked":
		return decode[Parked](raw)
	case "forwarded":
		return decode[Forwarded](raw)
	}
	return Unknown{Name: kind, Raw: append([]byte(nil), raw...)}, nil
}

func decode[F Fact](raw []byte) (Fact, error) {
	var f F
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("decode %s: %w", f.Kind(), err)
	}
	return f, nil
}
