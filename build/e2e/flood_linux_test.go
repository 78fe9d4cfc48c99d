package e2e_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"
)

// What a stranger sends in the test below, and how much memory that may cost.
const (
	fakeDevices    = 10_000
	malformed      = 10_000
	halfOpen       = 10_000
	attackers      = 64 // addresses that the handshakes come from
	attackSeconds  = 10
	floodGrowthKiB = 32 << 10
)

// TestAFloodFromTheNetworkHarmsNothing has a stranger on the network announce
// 10,000 devices, send 10,000 packets that are malformed, and begin 10,000 QUIC
// handshakes that it does not end. The device takes little memory for that, and
// one that it knows connects as ever.
func TestAFloodFromTheNetworkHarmsNothing(t *testing.T) {
	t.Parallel()
	if !inOwnNetwork(t) {
		return
	}
	a, b := trustingPair(t)
	a.writes(t, "before")
	eventually(t, patience, "a file", func() error { return b.told("before") })
	b.Stop(t)
	for i := range attackers {
		ip(t, fmt.Sprintf("addr add 10.77.0.%d/24 dev br0", 100+i))
	}
	a.steadyDescriptors(t)
	before := memoryOf(t, a.lanyard, "VmRSS:")
	// The peak of before, which a start leaves, is not this flood's.
	must(t, os.WriteFile(filepath.Join("/proc", strconv.Itoa(a.proc.cmd.Process.Pid), "clear_refs"), []byte("5"), 0))

	attack := newAttack(t, a.host.four)
	var flood sync.WaitGroup
	flood.Go(func() { attack.announceFakes() })
	flood.Go(func() { attack.sendMalformed() })
	flood.Go(func() { attack.beginHandshakes() })
	<-time.After(attackSeconds * time.Second / 2)
	b.Start(t)
	eventually(t, 5*time.Second, "a known device connects amid the flood", func() error { return allConnected(a, b) })
	a.writes(t, "amid")
	eventually(t, 5*time.Second, "a file amid the flood", func() error { return b.told("amid") })
	flood.Wait()
	must(t, attack.end())
	t.Logf("%d answers to %d handshakes", attack.answers.Load(), halfOpen)
	if attack.answers.Load() < 100 {
		t.Error("what was sent are no handshakes")
	}
	b.Stop(t)
	b.Start(t)
	eventually(t, 5*time.Second, "a known device connects after the flood", func() error { return allConnected(a, b) })
	peak := peakMemory(t, a.lanyard)
	t.Logf("resident memory %d KiB before and at most %d KiB", before, peak)
	if peak-before > floodGrowthKiB {
		t.Errorf("resident memory grew by %d KiB, want at most %d", peak-before, floodGrowthKiB)
	}
	a.writes(t, "after")
	eventually(t, patience, "a file after the flood", func() error { return b.told("after") })
}

// paced calls send for each of n packets, evenly over the attack.
func paced(n int, send func(i int)) {
	const every = 10 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	batch := n / int(attackSeconds*time.Second/every)
	for i := range n {
		if i%batch == 0 {
			<-tick.C
		}
		send(i)
	}
}

// attack is what a stranger sends, made before it begins.
type attack struct {
	fakes, initials [][]byte
	bad             []shot
	multicast       *net.UDPConn
	conns           []*net.UDPConn // connected to the device, from many addresses
	readers         sync.WaitGroup
	answers         atomic.Int64 // to the handshakes
}

// shot is a packet and where it goes.
type shot struct {
	packet []byte
	to     *net.UDPAddr
}

var toMDNS = &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}

// newAttack makes one on the device at an address.
func newAttack(t *testing.T, at string) *attack {
	t.Helper()
	a := &attack{}
	rng := rand.New(rand.NewPCG(1, 1))
	for range fakeDevices {
		a.fakes = append(a.fakes, fakeAnnouncement(t, rng))
	}
	for i := range halfOpen {
		a.initials = append(a.initials, initialPacket(t, uint64(i)))
	}
	syncthings := append([]byte{0x2e, 0xa7, 0xd9, 0x0b, 0x0a, 0x20}, make([]byte, 48)...)
	to := net.ParseIP(at)
	targets := []*net.UDPAddr{toMDNS, {IP: to, Port: 5353}, {IP: to, Port: 22000}, {IP: to, Port: 21027}}
	for i := range malformed {
		packet := slices.Clone([][]byte{a.fakes[i], a.initials[i], syncthings}[rng.IntN(3)])
		for range 1 + rng.IntN(8) {
			packet[rng.IntN(len(packet))] = byte(rng.Uint32())
		}
		a.bad = append(a.bad, shot{packet[:rng.IntN(len(packet))], targets[i%len(targets)]})
	}
	var err error
	a.multicast, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(10, 77, 0, 254)})
	must(t, err)
	bridge, err := net.InterfaceByName("br0")
	must(t, err)
	must(t, ipv4.NewPacketConn(a.multicast).SetMulticastInterface(bridge))
	for i := range attackers {
		conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(10, 77, 0, byte(100+i))}, &net.UDPAddr{IP: to, Port: 22000})
		must(t, err)
		a.conns = append(a.conns, conn)
		a.readers.Go(func() {
			buf := make([]byte, 2048)
			for {
				if _, err := conn.Read(buf); errors.Is(err, net.ErrClosed) {
					return
				} else if err == nil {
					a.answers.Add(1)
				}
			}
		})
	}
	return a
}

// announceFakes announces devices that there are not, each as large as it can be.
func (a *attack) announceFakes() {
	paced(len(a.fakes), func(i int) { _, _ = a.multicast.WriteToUDP(a.fakes[i], toMDNS) })
}

// sendMalformed sends packets that are nearly right to every port that listens.
func (a *attack) sendMalformed() {
	paced(len(a.bad), func(i int) { _, _ = a.multicast.WriteToUDP(a.bad[i].packet, a.bad[i].to) })
}

// beginHandshakes begins QUIC handshakes.
func (a *attack) beginHandshakes() {
	paced(len(a.initials), func(i int) { _, _ = a.conns[i%len(a.conns)].Write(a.initials[i]) })
}

// end closes what it was sent from.
func (a *attack) end() error {
	err := a.multicast.Close()
	for _, conn := range a.conns {
		err = errors.Join(err, conn.Close())
	}
	a.readers.Wait()
	return err
}

// fakeAnnouncement makes one of a device that is to be connected.
func fakeAnnouncement(t *testing.T, rng *rand.Rand) []byte {
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	name := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random(8)))
	of := func(s string) dnsmessage.Name { n, err := dnsmessage.NewName(s); must(t, err); return n }
	service, instance, host := of("_lanyard._udp.local."), of(name+"._lanyard._udp.local."), of(name+".local.")
	text64 := base64.RawURLEncoding.EncodeToString
	text := []string{"v=1", "n=" + text64(random(16)), "m=" + strings.Repeat("x", 50) + name, "p=" + text64(random(8))}
	for i := range 4 {
		text = append(text, fmt.Sprintf("t%d=%s", i, text64(random(128))))
	}
	head := func(n dnsmessage.Name) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: n, Class: dnsmessage.ClassINET, TTL: 3200}
	}
	m := dnsmessage.Message{
		Header: dnsmessage.Header{Response: true, Authoritative: true},
		Answers: []dnsmessage.Resource{
			{Header: head(service), Body: &dnsmessage.PTRResource{PTR: instance}},
			{Header: head(instance), Body: &dnsmessage.SRVResource{Port: uint16(1 + rng.IntN(65535)), Target: host}},
			{Header: head(instance), Body: &dnsmessage.TXTResource{TXT: text}},
			{Header: head(host), Body: &dnsmessage.AResource{A: [4]byte(append([]byte{10}, random(3)...))}},
		},
	}
	packet, err := m.Pack()
	must(t, err)
	return packet
}

// clientHello is what a client says first (RFC 8446), with the parameters that
// QUIC needs.
var clientHello = sync.OnceValues(func() ([]byte, error) {
	client := tls.QUICClient(&tls.QUICConfig{TLSConfig: &tls.Config{
		MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, NextProtos: []string{"lanyard/1"}, CurvePreferences: []tls.CurveID{tls.X25519},
	}})
	defer client.Close()
	client.SetTransportParameters(append([]byte{0x0f, byte(len(sourceID))}, sourceID...))
	if err := client.Start(context.Background()); err != nil {
		return nil, err
	}
	for {
		switch e := client.NextEvent(); e.Kind {
		case tls.QUICWriteData:
			return slices.Clone(e.Data), nil
		case tls.QUICNoEvent:
			return nil, errors.New("it says nothing")
		}
	}
})

// sourceID is the connection ID that all handshakes give as their own.
var sourceID = []byte("stranger")

// initialPacket makes the first packet of a QUIC connection (RFC 9001, section
// 5 and appendix A), of its own for each number.
func initialPacket(t *testing.T, number uint64) []byte {
	hello, err := clientHello()
	must(t, err)
	destination := binary.BigEndian.AppendUint64(nil, number^0x9e3779b97f4a7c15)
	derive := func(secret []byte, label string, length int) []byte {
		info := binary.BigEndian.AppendUint16(nil, uint16(length))
		label = "tls13 " + label
		info = append(append(append(info, byte(len(label))), label...), 0)
		key, err := hkdf.Expand(sha256.New, secret, string(info), length)
		must(t, err)
		return key
	}
	salt := []byte{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}
	secret, err := hkdf.Extract(sha256.New, destination, salt)
	must(t, err)
	secret = derive(secret, "client in", 32)

	const size, tag, numberLength = 1200, 16, 4
	header := append([]byte{0xc0 | numberLength - 1, 0, 0, 0, 1, byte(len(destination))}, destination...)
	header = append(append(header, byte(len(sourceID))), sourceID...)
	header = append(header, 0) // no token
	rest := size - len(header) - 2
	header = binary.BigEndian.AppendUint16(header, 0x4000|uint16(rest))
	header = append(header, 0, 0, 0, 0)
	payload := binary.BigEndian.AppendUint16([]byte{0x06, 0}, 0x4000|uint16(len(hello)))
	payload = append(payload, hello...)
	payload = append(payload, make([]byte, size-len(header)-tag-len(payload))...)

	block, err := aes.NewCipher(derive(secret, "quic key", 16))
	must(t, err)
	seal, err := cipher.NewGCM(block)
	must(t, err)
	packet := seal.Seal(header, derive(secret, "quic iv", 12), payload, header) // of packet number 0
	mask, err := aes.NewCipher(derive(secret, "quic hp", 16))
	must(t, err)
	var hidden [16]byte
	mask.Encrypt(hidden[:], packet[len(header):len(header)+16])
	packet[0] ^= hidden[0] & 0x0f
	for i := range numberLength {
		packet[len(header)-numberLength+i] ^= hidden[1+i]
	}
	return packet
}
