package transport

import (
	"encoding/binary"
	"net"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	batchLen   = 8       // messages in one system call
	groBuffer  = 1 << 16 // bytes: the most that the kernel joins
	controlLen = 128     // bytes of control messages, as quic-go reserves
)

// offload gives the fastest form of s that the system supports: on Linux the
// kernel joins datagrams of one flow, so that a batch of reads takes one trip
// through the network stack.
func offload(s socket) net.PacketConn {
	raw, err := s.SyscallConn()
	if err != nil {
		return s
	}
	var unsupported error
	err = raw.Control(func(fd uintptr) {
		unsupported = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 1)
	})
	if err != nil || unsupported != nil {
		return s // a kernel before 5.0
	}
	return newGROSocket(s)
}

// groSocket reads joined datagrams and gives them out one by one. ReadBatch is
// for one goroutine at a time.
type groSocket struct {
	socket
	batch    *ipv4.PacketConn
	received []ipv4.Message // buffers of the last read
	queue    []ipv4.Message // what of it is still to be given out
	offset   int            // where the next datagram begins in queue[0]
}

func newGROSocket(s socket) *groSocket {
	g := &groSocket{socket: s, batch: ipv4.NewPacketConn(s), received: make([]ipv4.Message, batchLen)}
	for i := range g.received {
		g.received[i].Buffers = [][]byte{make([]byte, groBuffer)}
		g.received[i].OOB = make([]byte, controlLen)
	}
	return g
}

// ReadBatch fills ms with datagrams, each with the control messages of the
// read that it came with, and gives their number. It waits only while it has
// none.
func (g *groSocket) ReadBatch(ms []ipv4.Message, flags int) (int, error) {
	if len(g.queue) == 0 {
		n, err := g.batch.ReadBatch(g.received, flags)
		if err != nil {
			return 0, err
		}
		g.queue, g.offset = g.received[:n], 0
	}
	n := 0
	for n < len(ms) && len(g.queue) > 0 {
		g.next(&ms[n])
		n++
	}
	return n, nil
}

// next moves one datagram from the queue to m, cut to m's buffer.
func (g *groSocket) next(m *ipv4.Message) {
	from := &g.queue[0]
	end := min(g.offset+segmentSize(from), from.N)
	m.N = copy(m.Buffers[0], from.Buffers[0][g.offset:end])
	m.NN = copy(m.OOB, from.OOB[:from.NN])
	m.Addr, m.Flags = from.Addr, from.Flags
	g.offset = end
	if g.offset >= from.N {
		g.queue, g.offset = g.queue[1:], 0
	}
}

// segmentSize gives the size of the datagrams joined in m, of which the last
// may be shorter: all of m where nothing was joined.
func segmentSize(m *ipv4.Message) int {
	rest := m.OOB[:m.NN]
	for len(rest) > 0 {
		header, data, after, err := unix.ParseOneSocketControlMessage(rest)
		if err != nil {
			break
		}
		if header.Level == unix.IPPROTO_UDP && header.Type == unix.UDP_GRO && len(data) >= 4 {
			if size := int(binary.NativeEndian.Uint32(data)); size > 0 {
				return size
			}
		}
		rest = after
	}
	return max(m.N, 1) // also an empty datagram takes its turn
}
