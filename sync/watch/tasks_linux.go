package watch

import (
	"sync"
	"time"

	"lanyard/sync/relpath"
)

// task is work for the keeper of watches, in the order of events.
type task struct {
	path relpath.Path
	gone bool // the name went; else it appeared
	at   time.Time
}

// maxTasks bounds the queue. Beyond it the session starts over, as after an
// overflow of the kernel's queue.
const maxTasks = 16_384

// tasks is a queue that never makes the reader of events wait.
type tasks struct {
	wake chan struct{} // holds one token while the queue is not empty; never closed

	mu    sync.Mutex
	queue []task
}

func newTasks() *tasks { return &tasks{wake: make(chan struct{}, 1)} }

// put appends a task; false means that the queue is full.
func (q *tasks) put(t task) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) >= maxTasks {
		return false
	}
	q.queue = append(q.queue, t)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// take gives all tasks and empties the queue.
func (q *tasks) take() []task {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.queue
	q.queue = nil
	return all
}
