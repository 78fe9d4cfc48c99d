package index

// Kill ends the store as the end of its process does, and returns what the
// operating system holds: everything, of which what no barrier covered may
// still be lost to a power cut.
func (m *Memory) Kill() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	next := NewMemory(m.opts)
	for _, id := range m.sortedLocked() {
		f := m.folders[id]
		f.shut()
		next.folders[id] = f.handedOn(next)
	}
	return next
}

// handedOn gives an open copy of everything so far, as durable as it is here.
func (f *memFolder) handedOn(m *Memory) *memFolder {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &memFolder{store: m, live: f.live.clone(), durable: f.durable.clone(), log: f.log}
}

// SetHook sets what is called before each operation from now on.
func (m *Memory) SetHook(onOp func(op string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opts.OnOp = onOp
}
