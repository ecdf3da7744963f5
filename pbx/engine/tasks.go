package engine

import (
	"context"
	"fmt"
	"sync"

	"branchline/pbx/call"
)

const taskWorkers = 4

// work is a task with what the floor must not see.
type work struct {
	task call.Task
	keys string
}

// startWorkers starts the bounded few who run tasks; stop ends them, Wait waits for them.
func (e *Engine) startWorkers(ctx context.Context) (*sync.WaitGroup, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for range taskWorkers {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case w := <-e.tasks:
					done := e.runTask(w)
					select {
					case e.done <- done:
					case <-ctx.Done():
						return
					}
				}
			}
		})
	}
	return &wg, cancel
}

// give hands t to the workers. A task that finds all of them taken for too long is answered at once.
func (e *Engine) give(t call.Task) {
	w := work{task: t}
	if pin, ok := t.(call.CheckPIN); ok {
		w.keys = string(e.secrets[pin.Leg])
		delete(e.secrets, pin.Leg)
	}
	select {
	case e.tasks <- w:
	default:
		e.o.Log.Error("too many tasks", "task", fmt.Sprintf("%T", t))
		select {
		case e.done <- call.Done{Ref: call.RefOf(t), Err: "too many tasks"}:
		default: // the floor's deadline for the task answers it
		}
	}
}

func (e *Engine) runTask(w work) (done call.Done) {
	done.Ref = call.RefOf(w.task)
	defer func() {
		if p := recover(); p != nil {
			e.o.Log.Error("task failed", "task", fmt.Sprintf("%T", w.task), "panic", p)
			done.Err = "the task failed"
		}
	}()
	switch t := w.task.(type) {
	case call.CheckPIN:
		done.OK = e.o.PIN != nil && e.o.PIN(t.Agent, w.keys)
	default:
		panic(fmt.Sprintf("engine: task %T", w.task))
	}
	return done
}
