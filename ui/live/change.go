package live

import (
	"reflect"

	"branchline/ui/api"
)

// since is what makes now of was; false: nothing that anybody would see. Of the status only what
// stands still counts: time passes everywhere alike.
func since(was, now *api.Live) (api.Change, bool) {
	c := api.Change{Seq: now.Seq, Now: now.Now}
	if still(was.Status) != still(now.Status) {
		s := now.Status
		c.Status = &s
	}
	c.Calls = items(was.Calls, now.Calls, func(v api.Call) string { return v.ID })
	c.Lines = items(was.Lines, now.Lines, func(v api.Line) string { return v.Name })
	c.Agents = items(was.Agents, now.Agents, func(v api.Agent) string { return v.Number })
	c.Queues = items(was.Queues, now.Queues, func(v api.Queue) string { return v.Name })
	c.Phones = items(was.Phones, now.Phones, func(v api.Phone) string { return v.Extension })
	c.Outside = items(was.Outside, now.Outside, func(v api.Caller) string { return v.ID })
	for _, f := range now.Facts {
		if f.Seq > was.Seq {
			c.Facts = append(c.Facts, f)
		}
	}
	if now.Records != was.Records {
		c.Records = now.Records
	}
	empty := api.Change{Seq: c.Seq, Now: c.Now}
	return c, !reflect.DeepEqual(c, empty)
}

// still is s without what changes all the time; free space counts in steps of 64 MiB.
func still(s api.Status) api.Status {
	s.UptimeS = 0
	s.Disk.FreeBytes /= 64 << 20
	return s
}

// items is what makes now of was, nil where they are equal.
func items[T any](was, now []T, key func(T) string) *api.Items[T] {
	old := make(map[string]*T, len(was))
	for i := range was {
		old[key(was[i])] = &was[i]
	}
	same := len(was) == len(now)
	out := &api.Items[T]{Order: make([]string, len(now))}
	for i, item := range now {
		k := key(item)
		out.Order[i] = k
		same = same && key(was[i]) == k
		if before := old[k]; before == nil || !reflect.DeepEqual(*before, item) {
			out.Put = append(out.Put, item)
		}
	}
	if same && out.Put == nil {
		return nil
	}
	return out
}
