package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"lanyard/app/service"
	"lanyard/sync/status"
)

// none is the input of an operation that takes nothing.
type none = struct{}

// operation names an operation. Its errors are described by the default
// response, which huma adds.
func operation(id, method, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary,
		// A deadline for the body would stay on the connection and end the
		// context of requests that wait for long.
		BodyReadTimeout: -1,
	}
}

func registerState(api huma.API, s Service) {
	huma.Register(api, operation("identity", http.MethodGet, "/id", "Who this device is"),
		func(ctx context.Context, _ *none) (*answer[service.Identity], error) {
			return answered(s.Identity(ctx))
		})
	huma.Register(api, operation("change-identity", http.MethodPatch, "/id", "Give this device another name"),
		func(ctx context.Context, in *struct{ Body service.IdentityChange }) (*answer[service.Identity], error) {
			return answered(s.ChangeIdentity(ctx, in.Body))
		})
	huma.Register(api, operation("status", http.MethodGet, "/status", "The whole state"),
		func(ctx context.Context, _ *none) (*answer[status.Snapshot], error) {
			return answered(s.Status(ctx))
		})
	huma.Register(api, operation("doctor", http.MethodPost, "/doctor", "Look at what keeps devices from finding each other; takes some seconds"),
		func(ctx context.Context, _ *none) (*answer[service.Checkup], error) {
			return answered(s.Doctor(ctx))
		})
	huma.Register(api, operation("support", http.MethodGet, "/support", "A report for whoever helps, without names, addresses and IDs"),
		func(ctx context.Context, _ *none) (*answer[service.Report], error) {
			return answered(s.Support(ctx))
		})
	huma.Register(api, operation("licences", http.MethodGet, "/licences", "The licences of what is compiled into the program"),
		func(ctx context.Context, _ *none) (*answer[service.Terms], error) {
			return answered(s.Terms(ctx))
		})
	huma.Register(api, operation("stop", http.MethodPost, "/stop", "End the program"),
		func(ctx context.Context, _ *none) (*struct{}, error) {
			return done(s.Stop(ctx))
		})
	huma.Register(api, operation("invite-browser", http.MethodPost, "/browser", "A fresh address that lets one browser in"),
		func(ctx context.Context, _ *none) (*answer[service.Invitation], error) {
			return answered(s.Invite(ctx))
		})
	huma.Register(api, operation("startup", http.MethodGet, "/startup", "When the engine is started by itself"),
		func(ctx context.Context, _ *none) (*answer[service.Startup], error) {
			return answered(s.Startup(ctx))
		})
	huma.Register(api, operation("change-startup", http.MethodPut, "/startup", "Say when the engine is started by itself"),
		func(ctx context.Context, in *struct{ Body service.Startup }) (*answer[service.Startup], error) {
			return answered(s.ChangeStartup(ctx, in.Body))
		})
	huma.Register(api, operation("window-closed", http.MethodPost, "/window/closed", "Tell the person that syncing goes on without the window"),
		func(ctx context.Context, _ *none) (*answer[service.Closed], error) {
			return answered(s.WindowClosed(ctx))
		})
	events := operation("events", http.MethodGet, "/events", "The whole state, now and at each change")
	sse.Register(api, events, map[string]any{"snapshot": service.SnapshotEvent{}},
		func(ctx context.Context, _ *none, send sse.Sender) {
			// The stream ends with its reader or with the program; there is
			// nobody left to tell why.
			_ = s.Follow(ctx, func(e service.SnapshotEvent) error { return send.Data(e) })
		})
}

// DeviceParam is the input of an operation on one device.
type DeviceParam struct {
	Device string `path:"device" doc:"ID, first group of the ID, or name"`
}

func registerDevices(api huma.API, s Service) {
	huma.Register(api, operation("list-devices", http.MethodGet, "/devices", "The configured devices"),
		func(ctx context.Context, _ *none) (*answer[[]service.Peer], error) {
			return answered(s.Devices(ctx))
		})
	huma.Register(api, operation("list-removed-devices", http.MethodGet, "/devices/removed", "The devices that were removed and get nothing any more"),
		func(ctx context.Context, _ *none) (*answer[[]status.RemovedDevice], error) {
			return answered(s.RemovedDevices(ctx))
		})
	huma.Register(api, operation("add-device", http.MethodPost, "/devices", "Add a device"),
		func(ctx context.Context, in *struct{ Body service.NewPeer }) (*answer[service.Peer], error) {
			return answered(s.AddDevice(ctx, in.Body))
		})
	huma.Register(api, operation("change-device", http.MethodPatch, "/devices/{device}", "Rename, pause or resume a device"),
		func(ctx context.Context, in *struct {
			DeviceParam
			Body service.PeerChange
		},
		) (*answer[service.Peer], error) {
			return answered(s.ChangeDevice(ctx, in.Device, in.Body))
		})
	huma.Register(api, operation("remove-device", http.MethodDelete, "/devices/{device}", "Remove a device"),
		func(ctx context.Context, in *DeviceParam) (*struct{}, error) {
			return done(s.RemoveDevice(ctx, in.Device))
		})
}

func registerNetworks(api huma.API, s Service) {
	huma.Register(api, operation("list-networks", http.MethodGet, "/networks", "The networks that this computer is in, and those that were asked about"),
		func(ctx context.Context, _ *none) (*answer[[]service.Network], error) {
			return answered(s.Networks(ctx))
		})
	huma.Register(api, operation("trust-network", http.MethodPut, "/networks/{network}/trust", "Say whether a network is trusted"),
		func(ctx context.Context, in *struct {
			Network string `path:"network" doc:"ID or name, or current"`
			Body    service.NetworkTrust
		},
		) (*answer[service.Network], error) {
			return answered(s.TrustNetwork(ctx, in.Network, in.Body))
		})
}

// FolderParam is the input of an operation on one folder.
type FolderParam struct {
	Folder string `path:"folder" doc:"folder ID"`
}

// ShareParams is the input of an operation on one folder and one device.
type ShareParams struct {
	FolderParam
	DeviceParam
}

func registerFolders(api huma.API, s Service) {
	huma.Register(api, operation("list-folders", http.MethodGet, "/folders", "The configured folders"),
		func(ctx context.Context, _ *none) (*answer[[]service.Share], error) {
			return answered(s.Folders(ctx))
		})
	huma.Register(api, operation("add-folder", http.MethodPost, "/folders", "Add a folder"),
		func(ctx context.Context, in *struct{ Body service.NewShare }) (*answer[service.Share], error) {
			return answered(s.AddFolder(ctx, in.Body))
		})
	huma.Register(api, operation("look-at-place", http.MethodPost, "/folders/look", "What stands at a path, before it is shared; takes two seconds at most and changes nothing"),
		func(ctx context.Context, in *struct{ Body service.PlaceRequest }) (*answer[service.Place], error) {
			return answered(s.Look(ctx, in.Body))
		})
	huma.Register(api, operation("change-folder", http.MethodPatch, "/folders/{folder}", "Pause or resume a folder"),
		func(ctx context.Context, in *struct {
			FolderParam
			Body service.ShareChange
		},
		) (*answer[service.Share], error) {
			return answered(s.ChangeFolder(ctx, in.Folder, in.Body))
		})
	huma.Register(api, operation("held", http.MethodGet, "/folders/{folder}/held", "The deletions that wait for a decision"),
		func(ctx context.Context, in *FolderParam) (*answer[[]status.Held], error) {
			return answered(s.Held(ctx, in.Folder))
		})
	huma.Register(api, operation("held-files", http.MethodGet, "/folders/{folder}/held/{direction}", "A part of the files whose deletion waits for a decision, by name"),
		func(ctx context.Context, in *struct {
			FolderParam
			PartParams
			Direction string `path:"direction" enum:"incoming,outgoing" doc:"who deleted them: others, or nobody that was seen here"`
			Find      string `query:"find" doc:"only paths with this in them, whatever its case"`
		},
		) (*answer[status.HeldFiles], error) {
			return answered(s.HeldFiles(ctx, in.Folder, status.Direction(in.Direction), in.window(in.Find)))
		})
	huma.Register(api, operation("decide-held", http.MethodPost, "/folders/{folder}/held", "Decide on the deletions that are held"),
		func(ctx context.Context, in *struct {
			FolderParam
			Body service.HeldDecision
		},
		) (*answer[[]status.Held], error) {
			return answered(s.DecideHeld(ctx, in.Folder, in.Body))
		})
	huma.Register(api, operation("remove-folder", http.MethodDelete, "/folders/{folder}", "Remove a folder; its files stay"),
		func(ctx context.Context, in *FolderParam) (*struct{}, error) {
			return done(s.RemoveFolder(ctx, in.Folder))
		})
	huma.Register(api, operation("share-folder", http.MethodPut, "/folders/{folder}/devices/{device}", "Share a folder with a device"),
		func(ctx context.Context, in *ShareParams) (*answer[service.Share], error) {
			return answered(s.ShareFolder(ctx, in.Folder, in.Device))
		})
	huma.Register(api, operation("unshare-folder", http.MethodDelete, "/folders/{folder}/devices/{device}", "Stop sharing a folder with a device"),
		func(ctx context.Context, in *ShareParams) (*answer[service.Share], error) {
			return answered(s.UnshareFolder(ctx, in.Folder, in.Device))
		})
}

// FileParams is the input of an operation on one name in a folder.
type FileParams struct {
	FolderParam
	Path string `query:"path" required:"true" doc:"inside the folder, with slashes"`
}

func registerFiles(api huma.API, s Service) {
	huma.Register(api, operation("scan", http.MethodPost, "/scan", "Scan, and return once the result is durable"),
		func(ctx context.Context, in *struct{ Body service.ScanRequest }) (*struct{}, error) {
			return done(s.Scan(ctx, in.Body))
		})
	huma.Register(api, operation("wait", http.MethodPost, "/wait", "Scan, and wait until folders are in sync"),
		func(ctx context.Context, in *struct{ Body service.WaitRequest }) (*answer[service.WaitResult], error) {
			return answered(s.Wait(ctx, in.Body))
		})
	huma.Register(api, operation("why", http.MethodGet, "/folders/{folder}/why", "Why a file or a folder is, or is not, in sync"),
		func(ctx context.Context, in *struct {
			FolderParam
			Path string `query:"path" doc:"inside the folder, with slashes; default: the whole folder"`
		},
		) (*answer[status.Why], error) {
			return answered(s.Why(ctx, in.Folder, in.Path))
		})
	huma.Register(api, operation("why-device", http.MethodGet, "/devices/{device}/why", "Why a device is, or is not, in sync"),
		func(ctx context.Context, in *DeviceParam) (*answer[status.Why], error) {
			return answered(s.WhyDevice(ctx, in.Device))
		})
	huma.Register(api, operation("versions", http.MethodGet, "/folders/{folder}/versions", "A part of the stored versions of a file, the newest first"),
		func(ctx context.Context, in *struct {
			FileParams
			PartParams
		},
		) (*answer[status.StoredVersions], error) {
			return answered(s.Versions(ctx, in.Folder, in.Path, in.window("")))
		})
	huma.Register(api, operation("restore", http.MethodPost, "/folders/{folder}/restore", "Bring a stored version of a file back"),
		func(ctx context.Context, in *struct {
			FolderParam
			Body service.RestoreRequest
		},
		) (*struct{}, error) {
			return done(s.Restore(ctx, in.Folder, in.Body))
		})
}

func registerIndexes(api huma.API, s Service) {
	huma.Register(api, operation("index-stats", http.MethodGet, "/folders/{folder}/index", "Figures about the index of a folder"),
		func(ctx context.Context, in *FolderParam) (*answer[status.IndexStats], error) {
			return answered(s.IndexStats(ctx, in.Folder))
		})
	huma.Register(api, operation("index-check", http.MethodPost, "/folders/{folder}/index/check", "Read all of an index; damage is an error"),
		func(ctx context.Context, in *FolderParam) (*struct{}, error) {
			return done(s.CheckIndex(ctx, in.Folder))
		})
	huma.Register(api, operation("index-show", http.MethodGet, "/folders/{folder}/index/entry", "All that an index knows of a name"),
		func(ctx context.Context, in *FileParams) (*answer[status.IndexEntry], error) {
			return answered(s.ShowIndex(ctx, in.Folder, in.Path))
		})
	huma.Register(api, operation("index-export", http.MethodPost, "/folders/{folder}/index/export", "Write an index to a new SQLite file"),
		func(ctx context.Context, in *struct {
			FolderParam
			Body service.IndexExport
		},
		) (*struct{}, error) {
			return done(s.ExportIndex(ctx, in.Folder, in.Body))
		})
}
