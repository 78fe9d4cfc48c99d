//go:build unix

package e2e_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/pierrec/lz4/v4"
	"github.com/quic-go/quic-go"
	"google.golang.org/protobuf/encoding/protowire"

	"lanyard/sync/device"
)

// rawClient speaks BEP byte by byte, with an encoding of its own, so that it
// can also say what no decent program says.
type rawClient struct {
	conn     *quic.Conn
	stream   *quic.Stream
	received chan rawMessage // closed by listen when the stream ends
}

// rawMessage is a message as received, uncompressed.
type rawMessage struct {
	kind int
	body []byte
}

// The message types that the raw client uses.
const (
	kindClusterConfig = 0
	kindIndex         = 1
	kindRequest       = 3
	kindResponse      = 4
	kindPing          = 6
)

// identity makes a certificate with a common name, and its device ID.
func identity(t *testing.T, name string) (tls.Certificate, device.ID) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, pub, key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, device.FromCertificate(der)
}

// tlsFor gives the settings of a decent client with these certificates.
func tlsFor(alpn string, certs ...tls.Certificate) *tls.Config {
	c := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, NextProtos: []string{alpn}}
	if len(certs) > 0 {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certs[0], nil }
	}
	return c
}

// dialRaw opens a connection and its stream. The test closes it at its end.
func dialRaw(t *testing.T, to node, settings *tls.Config) (*rawClient, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := quic.DialAddr(ctx, strings.TrimPrefix(to.Address(), "quic://"), settings, &quic.Config{KeepAlivePeriod: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.CloseWithError(0, "") }) // it may have ended
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	return &rawClient{conn: conn, stream: stream, received: make(chan rawMessage, 100)}, nil
}

// greet exchanges Hellos and begins to listen.
func (c *rawClient) greet() error {
	if _, err := c.stream.Write(hello("raw")); err != nil {
		return err
	}
	r := bufio.NewReader(c.stream)
	var head [6]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return fmt.Errorf("read Hello: %w", err)
	}
	if _, err := r.Discard(int(binary.BigEndian.Uint16(head[4:]))); err != nil {
		return fmt.Errorf("read Hello: %w", err)
	}
	go c.listen(r)
	return nil
}

// hello gives a Hello with a device name.
func hello(name string) []byte {
	var body []byte
	body = appendString(body, 1, name)
	body = appendString(body, 2, "raw client")
	body = appendString(body, 3, "v1")
	head := []byte{0x2e, 0xa7, 0xd9, 0x0b}
	return append(binary.BigEndian.AppendUint16(head, uint16(len(body))), body...)
}

// listen reads messages until the stream ends.
func (c *rawClient) listen(r io.Reader) {
	defer close(c.received)
	for {
		m, err := readMessage(r)
		if err != nil {
			return // the connection ended; the test sees the channel closed
		}
		c.received <- m
	}
}

func readMessage(r io.Reader) (rawMessage, error) {
	var m rawMessage
	var size16 [2]byte
	if _, err := io.ReadFull(r, size16[:]); err != nil {
		return m, err
	}
	header := make([]byte, binary.BigEndian.Uint16(size16[:]))
	if _, err := io.ReadFull(r, header); err != nil {
		return m, err
	}
	var size32 [4]byte
	if _, err := io.ReadFull(r, size32[:]); err != nil {
		return m, err
	}
	m.body = make([]byte, binary.BigEndian.Uint32(size32[:]))
	if _, err := io.ReadFull(r, m.body); err != nil {
		return m, err
	}
	fields := parse(header)
	m.kind = int(fields.number(1))
	if fields.number(2) == 0 {
		return m, nil
	}
	plain := make([]byte, binary.BigEndian.Uint32(m.body))
	_, err := lz4.UncompressBlock(m.body[4:], plain)
	m.body = plain
	return m, err
}

// send writes a message; packed is set for LZ4.
func (c *rawClient) send(t *testing.T, kind int, body []byte, packed bool) {
	t.Helper()
	var header []byte
	header = appendNumber(header, 1, uint64(kind))
	if packed {
		header = appendNumber(header, 2, 1)
		body = pack(t, body)
	}
	frame := binary.BigEndian.AppendUint16(nil, uint16(len(header)))
	frame = append(frame, header...)
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(body)))
	c.write(t, append(frame, body...))
}

// write writes bytes as they are.
func (c *rawClient) write(t *testing.T, raw []byte) {
	t.Helper()
	_, err := c.stream.Write(raw)
	must(t, err)
}

// pack gives the LZ4 form of a body.
func pack(t *testing.T, body []byte) []byte {
	t.Helper()
	out := make([]byte, 4+lz4.CompressBlockBound(len(body)))
	binary.BigEndian.PutUint32(out, uint32(len(body)))
	n, err := lz4.CompressBlock(body, out[4:], nil)
	must(t, err)
	if n == 0 { // does not compress: one run of literals
		return append(out[:4], literals(body)...)
	}
	return out[:4+n]
}

// literals gives the LZ4 block that holds a body uncompressed.
func literals(body []byte) []byte {
	n := len(body)
	if n < 15 {
		return append([]byte{byte(n << 4)}, body...)
	}
	out := []byte{0xf0}
	for n -= 15; n >= 255; n -= 255 {
		out = append(out, 255)
	}
	return append(append(out, byte(n)), body...)
}

// expect gives the next message of a kind, leaving out others.
func (c *rawClient) expect(t *testing.T, kind int) rawMessage {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case m, ok := <-c.received:
			if !ok {
				t.Fatalf("the connection ended before a message of type %d came: %v", kind, context.Cause(c.conn.Context()))
			}
			if m.kind == kind {
				return m
			}
		case <-deadline:
			t.Fatalf("no message of type %d came", kind)
		}
	}
}

// dropped waits until the other side ended the connection.
func (c *rawClient) dropped() error {
	select {
	case <-c.conn.Context().Done():
		return nil
	case <-time.After(30 * time.Second):
		return errors.New("the connection is still open")
	}
}

// rawPeer is a raw client that a node knows and shares its folder with, after
// Hello and ClusterConfig.
func rawPeer(t *testing.T, to node, cert tls.Certificate, id device.ID) *rawClient {
	t.Helper()
	c, err := dialRaw(t, to, tlsFor("bep/1.0", cert))
	must(t, err)
	must(t, c.greet())
	theirs, err := device.Parse(to.ID())
	must(t, err)
	c.send(t, kindClusterConfig, clusterConfig(folderID, id, theirs), false)
	c.expect(t, kindClusterConfig)
	return c
}

// clusterConfig shares a folder between two devices.
func clusterConfig(folder string, devices ...device.ID) []byte {
	var f []byte
	f = appendString(f, 1, folder)
	for i, id := range devices {
		d := appendString(nil, 1, string(id[:]))
		if i == 0 { // our own entry names our index
			d = appendNumber(d, 6, 1)
			d = appendNumber(d, 8, 4711)
		}
		f = appendString(f, 16, string(d))
	}
	return appendString(nil, 1, string(f))
}

// request asks for a range of a file by the hash of what is expected there.
func request(id int, folder, name string, offset int64, content []byte, size int) []byte {
	var r []byte
	r = appendNumber(r, 1, uint64(id))
	r = appendString(r, 2, folder)
	r = appendString(r, 3, name)
	r = appendNumber(r, 4, uint64(offset))
	r = appendNumber(r, 5, uint64(size))
	if content != nil {
		hash := sha256.Sum256(content)
		r = appendString(r, 6, string(hash[:]))
	}
	return r
}

// fields are the values of a protobuf message by number; the last one wins.
type fields map[protowire.Number]any

func (f fields) number(n protowire.Number) uint64 {
	v, _ := f[n].(uint64)
	return v
}

func (f fields) bytes(n protowire.Number) []byte {
	v, _ := f[n].([]byte)
	return v
}

// parse reads a protobuf message of varints and bytes.
func parse(raw []byte) fields {
	f := fields{}
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return f
		}
		raw = raw[n:]
		if kind == protowire.BytesType {
			v, n := protowire.ConsumeBytes(raw)
			if n < 0 {
				return f
			}
			f[number], raw = v, raw[n:]
			continue
		}
		v, n := protowire.ConsumeVarint(raw)
		if n < 0 {
			return f
		}
		f[number], raw = v, raw[n:]
	}
	return f
}

// appendString and appendNumber append a field; zero values are left out.
func appendString(b []byte, n protowire.Number, v string) []byte {
	if v == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), v)
}

func appendNumber(b []byte, n protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
}
