package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"lanyard/app/service"
	"lanyard/sync/status"
)

// ErrNotRunning is wrapped by the error of a Dial that nobody answered.
var ErrNotRunning = errors.New("no engine answers")

// errEnded is the end of a stream whose server has gone.
var errEnded = errors.New("the engine has ended")

// Client is the contract of package service, reached over HTTP. Its errors are
// *service.Error where the service answered. It may be used from any
// goroutine.
type Client struct {
	http *http.Client
	base string
}

// Dial reaches the running engine whose control socket is at address, as it
// stands in the home's lock. It fails with ErrNotRunning where nobody answers.
func Dial(ctx context.Context, address string) (*Client, error) {
	c := NewClient(&http.Client{Transport: Transport(func() (string, error) { return address, nil })}, AnyHost)
	if _, err := c.Identity(ctx); err != nil {
		c.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	return c, nil
}

// AnyHost stands for the host in the addresses of what goes over a Transport.
const AnyHost = "http://lanyard"

// Transport carries HTTP over control sockets: each new connection goes to the
// one that address gives at that moment, so that requests reach another engine
// once it has taken the place of the first.
func Transport(address func() (string, error)) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			at, err := address()
			if err != nil {
				return nil, err
			}
			return dialControl(ctx, at)
		},
	}
}

// NewClient gives a client that uses h for the server at base, such as
// http://127.0.0.1:8384.
func NewClient(h *http.Client, base string) *Client { return &Client{h, base + Base} }

// Close ends the client's idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Identity tells who the device is.
func (c *Client) Identity(ctx context.Context) (service.Identity, error) {
	return get[service.Identity](ctx, c, "/id")
}

// ChangeIdentity gives the device another name.
func (c *Client) ChangeIdentity(ctx context.Context, change service.IdentityChange) (service.Identity, error) {
	return send[service.Identity](ctx, c, http.MethodPatch, "/id", change)
}

// Status gives the whole state now.
func (c *Client) Status(ctx context.Context) (status.Snapshot, error) {
	return get[status.Snapshot](ctx, c, "/status")
}

// Stop asks the program to end, and returns before it has.
func (c *Client) Stop(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, "/stop", nil, nil)
}

// Invite makes an address that lets one browser in.
func (c *Client) Invite(ctx context.Context) (service.Invitation, error) {
	return send[service.Invitation](ctx, c, http.MethodPost, "/browser", nil)
}

// Startup tells when the engine is started by itself.
func (c *Client) Startup(ctx context.Context) (service.Startup, error) {
	return get[service.Startup](ctx, c, "/startup")
}

// ChangeStartup says when the engine is started by itself.
func (c *Client) ChangeStartup(ctx context.Context, to service.Startup) (service.Startup, error) {
	return send[service.Startup](ctx, c, http.MethodPut, "/startup", to)
}

// WindowClosed has the engine tell the person that syncing goes on.
func (c *Client) WindowClosed(ctx context.Context) (service.Closed, error) {
	return send[service.Closed](ctx, c, http.MethodPost, "/window/closed", nil)
}

// Devices lists the configured devices.
func (c *Client) Devices(ctx context.Context) ([]service.Peer, error) {
	return get[[]service.Peer](ctx, c, "/devices")
}

// RemovedDevices lists the devices that were removed.
func (c *Client) RemovedDevices(ctx context.Context) ([]status.RemovedDevice, error) {
	return get[[]status.RemovedDevice](ctx, c, "/devices/removed")
}

// AddDevice adds a device.
func (c *Client) AddDevice(ctx context.Context, req service.NewPeer) (service.Peer, error) {
	return send[service.Peer](ctx, c, http.MethodPost, "/devices", req)
}

// RemoveDevice removes a device.
func (c *Client) RemoveDevice(ctx context.Context, dev string) error {
	return c.do(ctx, http.MethodDelete, at("devices", dev), nil, nil)
}

// ChangeDevice renames, pauses or resumes a device.
func (c *Client) ChangeDevice(ctx context.Context, dev string, change service.PeerChange) (service.Peer, error) {
	return send[service.Peer](ctx, c, http.MethodPatch, at("devices", dev), change)
}

// Networks lists the networks that this computer is in, and those that were
// asked about.
func (c *Client) Networks(ctx context.Context) ([]service.Network, error) {
	return get[[]service.Network](ctx, c, "/networks")
}

// TrustNetwork says whether a network is trusted.
func (c *Client) TrustNetwork(ctx context.Context, which string, said service.NetworkTrust) (service.Network, error) {
	return send[service.Network](ctx, c, http.MethodPut, at("networks", which, "trust"), said)
}

// Folders lists the configured folders.
func (c *Client) Folders(ctx context.Context) ([]service.Share, error) {
	return get[[]service.Share](ctx, c, "/folders")
}

// AddFolder adds a folder.
func (c *Client) AddFolder(ctx context.Context, req service.NewShare) (service.Share, error) {
	return send[service.Share](ctx, c, http.MethodPost, "/folders", req)
}

// Look tells what stands at a path.
func (c *Client) Look(ctx context.Context, req service.PlaceRequest) (service.Place, error) {
	return send[service.Place](ctx, c, http.MethodPost, "/folders/look", req)
}

// Doctor looks at what keeps devices from finding each other.
func (c *Client) Doctor(ctx context.Context) (service.Checkup, error) {
	return send[service.Checkup](ctx, c, http.MethodPost, "/doctor", nil)
}

// Support makes a report for whoever helps.
func (c *Client) Support(ctx context.Context) (service.Report, error) {
	return get[service.Report](ctx, c, "/support")
}

// Terms gives the licences of what is compiled in.
func (c *Client) Terms(ctx context.Context) (service.Terms, error) {
	return get[service.Terms](ctx, c, "/licences")
}

// Offers lists the folders that other devices offer.
func (c *Client) Offers(ctx context.Context) ([]status.Offer, error) {
	return get[[]status.Offer](ctx, c, "/offers")
}

// AnswerOffer refuses a folder that is offered, or takes that back.
func (c *Client) AnswerOffer(ctx context.Context, folder string, req service.OfferAnswer) ([]status.Offer, error) {
	return send[[]status.Offer](ctx, c, http.MethodPost, at("offers", folder), req)
}

// Preview tells what joining a folder at a place would do.
func (c *Client) Preview(ctx context.Context, folder string, req service.PreviewRequest) (status.Preview, error) {
	return send[status.Preview](ctx, c, http.MethodPost, at("offers", folder, "preview"), req)
}

// Accept joins a folder that is offered.
func (c *Client) Accept(ctx context.Context, folder string, req service.Acceptance) (service.Accepted, error) {
	return send[service.Accepted](ctx, c, http.MethodPost, at("folders", folder, "accept"), req)
}

// RemoveFolder removes a folder; its files stay.
func (c *Client) RemoveFolder(ctx context.Context, folder string) error {
	return c.do(ctx, http.MethodDelete, at("folders", folder), nil, nil)
}

// ChangeFolder pauses or resumes a folder.
func (c *Client) ChangeFolder(ctx context.Context, folder string, change service.ShareChange) (service.Share, error) {
	return send[service.Share](ctx, c, http.MethodPatch, at("folders", folder), change)
}

// ShareFolder shares a folder with a device.
func (c *Client) ShareFolder(ctx context.Context, folder, dev string) (service.Share, error) {
	return send[service.Share](ctx, c, http.MethodPut, at("folders", folder, "devices", dev), nil)
}

// UnshareFolder stops sharing a folder with a device.
func (c *Client) UnshareFolder(ctx context.Context, folder, dev string) (service.Share, error) {
	return send[service.Share](ctx, c, http.MethodDelete, at("folders", folder, "devices", dev), nil)
}

// Scan scans and returns when the result is durable.
func (c *Client) Scan(ctx context.Context, req service.ScanRequest) error {
	return c.do(ctx, http.MethodPost, "/scan", req, nil)
}

// Wait scans the folders and waits until they are in sync.
func (c *Client) Wait(ctx context.Context, req service.WaitRequest) (service.WaitResult, error) {
	return send[service.WaitResult](ctx, c, http.MethodPost, "/wait", req)
}

// Why explains the state of a file.
func (c *Client) Why(ctx context.Context, folder, path string) (status.Why, error) {
	return get[status.Why](ctx, c, at("folders", folder, "why")+"?path="+url.QueryEscape(path))
}

// WhyDevice explains the state of another device.
func (c *Client) WhyDevice(ctx context.Context, dev string) (status.Why, error) {
	return get[status.Why](ctx, c, at("devices", dev, "why"))
}

// Versions gives a part of the stored versions of a file, the newest first.
func (c *Client) Versions(ctx context.Context, folder, path string, w status.Window) (status.StoredVersions, error) {
	return get[status.StoredVersions](ctx, c, at("folders", folder, "versions")+inPart(w, url.Values{"path": {path}}))
}

// Held lists the deletions that are held in a folder.
func (c *Client) Held(ctx context.Context, folder string) ([]status.Held, error) {
	return get[[]status.Held](ctx, c, at("folders", folder, "held"))
}

// HeldFiles gives a part of the files whose deletion is held in one direction.
func (c *Client) HeldFiles(ctx context.Context, folder string, direction status.Direction, w status.Window) (status.HeldFiles, error) {
	return get[status.HeldFiles](ctx, c, at("folders", folder, "held", string(direction))+inPart(w, url.Values{}))
}

// DecideHeld says what is to become of the deletions that are held.
func (c *Client) DecideHeld(ctx context.Context, folder string, d service.HeldDecision) ([]status.Held, error) {
	return send[[]status.Held](ctx, c, http.MethodPost, at("folders", folder, "held"), d)
}

// Restore brings a stored version of a file back.
func (c *Client) Restore(ctx context.Context, folder string, req service.RestoreRequest) error {
	return c.do(ctx, http.MethodPost, at("folders", folder, "restore"), req, nil)
}

// IndexStats gives figures about the index of a folder.
func (c *Client) IndexStats(ctx context.Context, folder string) (status.IndexStats, error) {
	return get[status.IndexStats](ctx, c, at("folders", folder, "index"))
}

// CheckIndex reads all of a folder's index; damage is an error.
func (c *Client) CheckIndex(ctx context.Context, folder string) error {
	return c.do(ctx, http.MethodPost, at("folders", folder, "index", "check"), nil, nil)
}

// ShowIndex gives all that a folder's index knows of a name.
func (c *Client) ShowIndex(ctx context.Context, folder, path string) (status.IndexEntry, error) {
	return get[status.IndexEntry](ctx, c, at("folders", folder, "index", "entry")+"?path="+url.QueryEscape(path))
}

// ExportIndex writes a folder's index to a new SQLite file.
func (c *Client) ExportIndex(ctx context.Context, folder string, req service.IndexExport) error {
	return c.do(ctx, http.MethodPost, at("folders", folder, "index", "export"), req, nil)
}

// Follow calls f with the present state and each new one, until ctx ends, f
// fails, or the stream does, which is an error as well.
func (c *Client) Follow(ctx context.Context, f func(service.SnapshotEvent) error) error {
	return c.FollowText(ctx, func(data []byte) error {
		var event service.SnapshotEvent
		if err := json.Unmarshal(data, &event); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		return f(event)
	})
}

// FollowText is Follow for who passes states on: f gets each as the JSON of a
// service.SnapshotEvent, which is its own to keep.
func (c *Client) FollowText(ctx context.Context, f func(event []byte) error) error {
	response, err := c.request(ctx, http.MethodGet, "/events", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	// One event is one line: its length is bounded by what the engine holds,
	// so no limit is set here.
	lines := bufio.NewReader(response.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return ended(ctx, err)
		}
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok {
			continue
		}
		if err := f(bytes.TrimSuffix(data, []byte("\n"))); err != nil {
			return err
		}
	}
}

func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errEnded
	}
	return fmt.Errorf("read from the engine: %w", err)
}

// at joins path segments, whatever they hold.
func at(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

func get[T any](ctx context.Context, c *Client, path string) (T, error) {
	return send[T](ctx, c, http.MethodGet, path, nil)
}

func send[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var out T
	err := c.do(ctx, method, path, body, &out)
	return out, err
}

// do sends a request and reads the answer into out, unless that is nil.
func (c *Client) do(ctx context.Context, method, path string, body, out any) error {
	response, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return ended(ctx, err)
	}
	return nil
}

// request sends a request and gives its answer, or the error that it carries.
func (c *Client) request(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		reader = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, reader)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the engine: %w", err)
	}
	if response.StatusCode < http.StatusBadRequest {
		return response, nil
	}
	defer response.Body.Close()
	problem := &service.Error{Status: response.StatusCode}
	if err := json.NewDecoder(response.Body).Decode(problem); err != nil || problem.Text == "" {
		problem.Text = "the engine answered " + response.Status
	}
	return nil, problem
}
