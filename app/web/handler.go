// Package web carries the contract of package service over HTTP: one
// http.Handler, the control socket through which programs of this user reach
// it, and the client they use. The OpenAPI document is generated from the
// types of the contract and served at /api/v1/openapi.json.
package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"lanyard/app/service"
	"lanyard/sync/status"
)

// Base is the path under which the API lies.
const Base = "/api/v1"

// apiVersion is the version of the API, not of the program.
const apiVersion = "1"

// Service is the contract that the handler carries; *service.Service fulfils
// it, and *Client does on the other side.
type Service interface {
	Identity(context.Context) (service.Identity, error)
	ChangeIdentity(context.Context, service.IdentityChange) (service.Identity, error)
	Status(context.Context) (status.Snapshot, error)
	Activity(context.Context, service.ActivityRequest) (status.Activity, error)
	Follow(context.Context, func(service.SnapshotEvent) error) error
	Devices(context.Context) ([]service.Peer, error)
	AddDevice(context.Context, service.NewPeer) (service.Peer, error)
	RemovedDevices(context.Context) ([]status.RemovedDevice, error)
	RemoveDevice(ctx context.Context, dev string) error
	ChangeDevice(ctx context.Context, dev string, change service.PeerChange) (service.Peer, error)
	Networks(context.Context) ([]service.Network, error)
	TrustNetwork(ctx context.Context, which string, said service.NetworkTrust) (service.Network, error)
	Folders(context.Context) ([]service.Share, error)
	AddFolder(context.Context, service.NewShare) (service.Share, error)
	Look(context.Context, service.PlaceRequest) (service.Place, error)
	Doctor(context.Context) (service.Checkup, error)
	Support(context.Context) (service.Report, error)
	Terms(context.Context) (service.Terms, error)
	Offers(context.Context) ([]status.Offer, error)
	Preview(ctx context.Context, folder string, req service.PreviewRequest) (status.Preview, error)
	AnswerOffer(ctx context.Context, folder string, req service.OfferAnswer) ([]status.Offer, error)
	Accept(ctx context.Context, folder string, req service.Acceptance) (service.Accepted, error)
	RemoveFolder(ctx context.Context, folder string) error
	ChangeFolder(ctx context.Context, folder string, change service.ShareChange) (service.Share, error)
	ShareFolder(ctx context.Context, folder, dev string) (service.Share, error)
	UnshareFolder(ctx context.Context, folder, dev string) (service.Share, error)
	Scan(context.Context, service.ScanRequest) error
	Wait(context.Context, service.WaitRequest) (service.WaitResult, error)
	Why(ctx context.Context, folder, path string) (status.Why, error)
	WhyDevice(ctx context.Context, dev string) (status.Why, error)
	Needed(ctx context.Context, folder string, w status.Window) (status.Listing, error)
	Versions(ctx context.Context, folder, path string, w status.Window) (status.StoredVersions, error)
	Held(ctx context.Context, folder string) ([]status.Held, error)
	HeldFiles(ctx context.Context, folder string, direction status.Direction, w status.Window) (status.HeldFiles, error)
	DecideHeld(ctx context.Context, folder string, d service.HeldDecision) ([]status.Held, error)
	Restore(ctx context.Context, folder string, req service.RestoreRequest) error
	Conflicts(ctx context.Context, folder string, w status.Window) (status.Conflicts, error)
	Conflict(ctx context.Context, folder, path string) (status.TwoVersions, error)
	Settle(ctx context.Context, folder string, req service.Settling) (service.Settled, error)
	Rules(ctx context.Context, folder string) (status.Rules, error)
	TryRules(ctx context.Context, folder string, req service.RulesTrial) (status.RulesTried, error)
	SetRules(ctx context.Context, folder string, rules status.Rules) (service.Settled, error)
	List(ctx context.Context, folder, path string, w status.Window) (status.Listing, error)
	IndexStats(ctx context.Context, folder string) (status.IndexStats, error)
	CheckIndex(ctx context.Context, folder string) error
	ShowIndex(ctx context.Context, folder, path string) (status.IndexEntry, error)
	ExportIndex(ctx context.Context, folder string, req service.IndexExport) error
	Invite(context.Context) (service.Invitation, error)
	Startup(context.Context) (service.Startup, error)
	ChangeStartup(context.Context, service.Startup) (service.Startup, error)
	WindowClosed(context.Context) (service.Closed, error)
	OpenPane(context.Context) error
	ClosePane(context.Context) error
	OpenInvitation(context.Context, service.NewInvitation) (service.Invited, error)
	CloseInvitation(ctx context.Context, id string) error
	ReadInvitation(context.Context, service.Taking) (service.Reading, error)
	TakeInvitation(context.Context, service.Taking) (status.PairingRun, error)
	ChooseNearby(context.Context, service.Choice) (status.PairingRun, error)
	AnswerPairing(ctx context.Context, id string, reply service.Reply) error
	AllowNumbers(context.Context) error
	Stop(context.Context) error
}

// Handler gives the whole API of s.
func Handler(s Service) http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Lanyard", apiVersion)
	config.OpenAPIPath = "" // served below, after document has settled it
	config.DocsPath = ""
	config.SchemasPath = ""
	config.CreateHooks = nil // no $schema fields in answers
	config.Transformers = []huma.Transformer{ownErrors}
	config.Servers = []*huma.Server{{URL: Base}}
	config.Components.Schemas.RegisterTypeAlias(typeOf[huma.ErrorModel](), typeOf[service.Error]())
	api := humago.NewWithPrefix(mux, Base, config)
	registerState(api, s)
	registerActivity(api, s)
	registerDevices(api, s)
	registerPairing(api, s)
	registerNetworks(api, s)
	registerFolders(api, s)
	registerOffers(api, s)
	registerFiles(api, s)
	registerConflicts(api, s)
	registerRules(api, s)
	registerBrowse(api, s)
	registerIndexes(api, s)
	serveDocument(mux, document(api.OpenAPI()))
	mux.HandleFunc("/", notFound)
	return mux
}

// serveDocument serves the OpenAPI document, made once.
func serveDocument(mux *http.ServeMux, doc *huma.OpenAPI) {
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		panic("web: the OpenAPI document cannot be encoded: " + err.Error())
	}
	data = append(data, '\n')
	mux.HandleFunc("GET "+Base+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(data) // the reader has gone: nobody to tell
	})
}

func notFound(w http.ResponseWriter, r *http.Request) {
	sayJSON(w, http.StatusNotFound, service.Error{
		Text: "there is no " + strconv.Quote(r.Method+" "+r.URL.Path) + " in this API",
		Item: r.URL.Path,
	})
}

// answer wraps what a method of the service gives into what huma writes.
type answer[T any] struct{ Body T }

func answered[T any](body T, err error) (*answer[T], error) {
	if err != nil {
		return nil, service.Describe(err)
	}
	return &answer[T]{body}, nil
}

// done is the answer without a body.
func done(err error) (*struct{}, error) {
	if err != nil {
		return nil, service.Describe(err)
	}
	return nil, nil
}

// ownErrors gives errors that huma found itself, such as a body that does not
// fit its schema, the form that all errors have.
func ownErrors(ctx huma.Context, _ string, body any) (any, error) {
	model, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	ctx.SetHeader("Content-Type", "application/json")
	out := &service.Error{Status: model.Status, Text: model.Detail}
	if len(model.Errors) > 0 {
		out.Item = model.Errors[0].Location
		out.Text += ": " + model.Errors[0].Message
	}
	return out, nil
}
