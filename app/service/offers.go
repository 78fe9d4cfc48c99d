package service

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"lanyard/app/config"
	"lanyard/app/node"
	"lanyard/app/text"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Acceptance asks to join a folder that other devices offer.
type Acceptance struct {
	Path    string   `json:"path,omitempty" doc:"absolute; made if it is missing. Left out where the folder is here already, to share it with one more device"`
	Devices []string `json:"devices,omitempty" doc:"devices to share it with: ID, first group or name. Default: the one that offers it; where several do, they have to be named"`
	Type    string   `json:"type,omitempty" doc:"default: send-receive"`
	Merge   bool     `json:"merge,omitempty" doc:"join although the directory holds files: look at the preview first"`
	Differ  string   `json:"differ,omitempty" doc:"mine, theirs or both: what is kept of files that are here and there and differ; the one that goes is an old version where it stood. Default: both"`
	Token   string   `json:"token,omitempty" doc:"of the preview that was shown: where something else differs now, the choice is refused and nothing is joined"`
}

// Accepted is what came of an acceptance.
type Accepted struct {
	Folder   Share    `json:"folder"`
	Warnings []string `json:"warnings" doc:"sentences, such as that space is short"`
	Added    bool     `json:"added" doc:"false where the folder was here and is shared with one more device"`
}

// PreviewRequest asks what joining a folder at a place would do.
type PreviewRequest struct {
	Path   string `json:"path" doc:"absolute; it need not exist"`
	Device string `json:"device,omitempty" doc:"whose state to compare with: ID, first group or name. Default: the one that offers it"`
}

// OfferAnswer says that a person does not want a folder.
type OfferAnswer struct {
	Devices []string `json:"devices,omitempty" doc:"whose offer: ID, first group or name. Default: all who offer it"`
	Refused bool     `json:"refused" doc:"false takes a refusal back"`
}

// Offers lists the folders that other devices offer, refused ones too.
func (s *Service) Offers(context.Context) ([]status.Offer, error) {
	out := []status.Offer{}
	for _, o := range s.snapshot().Offers {
		if o.Folder != "" {
			out = append(out, o)
		}
	}
	return out, nil
}

// placed gives each offered folder the path that it gets unless a person says
// otherwise, and the space there.
func (s *Service) placed(offers []status.Offer) []status.Offer {
	out := slices.Clone(offers)
	c := s.store.Config()
	free := map[string]int64{} // by directory: most are the same
	for i := range out {
		o := &out[i]
		if o.Folder == "" {
			continue
		}
		if f, err := c.FindFolder(bep.FolderID(o.Folder)); err == nil {
			o.Path = f.Path
			continue
		}
		o.Path = c.SuggestPlace(o.Label, bep.FolderID(o.Folder))
		in := filepath.Dir(o.Path)
		if _, known := free[in]; !known {
			free[in] = node.FreeAt(in)
		}
		o.Free = free[in]
	}
	return out
}

// AnswerOffer notes, durably, that a person does not want a folder, or wants to
// see the offer again. It gives the offers that it was about.
func (s *Service) AnswerOffer(ctx context.Context, folder string, req OfferAnswer) ([]status.Offer, error) {
	offers, err := s.offersOf(folder, req.Devices)
	if err != nil {
		return nil, err
	}
	for i := range offers {
		id, err := parseID(offers[i].Device)
		if err != nil {
			return nil, err
		}
		if err := s.engine.Refuse(ctx, id, bep.FolderID(folder), req.Refused); err != nil {
			return nil, err
		}
		offers[i].Refused = req.Refused
	}
	return offers, nil
}

// offersOf gives the offers of a folder by the named devices, by all where none
// are named.
func (s *Service) offersOf(folder string, devices []string) ([]status.Offer, error) {
	ids, err := s.findDevices(devices)
	if err != nil {
		return nil, err
	}
	var out []status.Offer
	for _, o := range s.snapshot().Offers {
		named := slices.ContainsFunc(ids, func(id device.ID) bool { return id.String() == o.Device })
		if folder != "" && o.Folder == folder && (len(ids) == 0 || named) {
			out = append(out, o)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(out, func(o status.Offer) bool { return o.Device == id.String() }) {
			return nil, noOffer(folder)
		}
	}
	if len(out) == 0 {
		return nil, noOffer(folder)
	}
	return out, nil
}

func noOffer(folder string) error {
	return &config.Refusal{
		Reason: config.NotFound, Code: "offer-gone", Item: folder,
		Text:   "no device offers the folder " + strconv.Quote(folder),
		Remedy: `see "lanyard folder offers" for what is offered`,
	}
}

// chosen gives the offers that an acceptance means. Another device may offer a
// folder of the same ID, to be shared with as well: which is meant has to be
// said, unless one alone is left after those that were refused.
func (s *Service) chosen(folder string, devices []string) ([]status.Offer, error) {
	offers, err := s.offersOf(folder, devices)
	if err != nil || len(devices) > 0 {
		return offers, err
	}
	if wanted := slices.DeleteFunc(slices.Clone(offers), func(o status.Offer) bool { return o.Refused }); len(wanted) > 0 {
		offers = wanted
	}
	if len(offers) > 1 {
		names := ""
		for _, o := range offers {
			names += ", " + strconv.Quote(o.Name)
		}
		return nil, &config.Refusal{
			Reason: config.Invalid, Item: folder,
			Text:   "more than one device offers the folder " + strconv.Quote(folder) + ": " + names[2:],
			Remedy: "name those to share it with, with --device",
		}
	}
	return offers, nil
}

// Accept joins a folder that other devices offer. Nothing of it is written
// before; where the directory holds files, a person has to have been asked.
func (s *Service) Accept(ctx context.Context, folder string, req Acceptance) (Accepted, error) {
	offers, err := s.chosen(folder, req.Devices)
	if err != nil {
		return Accepted{}, err
	}
	f := config.Folder{ID: bep.FolderID(folder), Path: req.Path, Label: offers[0].Label, Type: config.FolderType(req.Type)}
	for _, o := range offers {
		id, err := parseID(o.Device)
		if err != nil {
			return Accepted{}, err
		}
		f.Shared = append(f.Shared, id)
	}
	if here, err := s.store.Config().FindFolder(f.ID); err == nil {
		return s.acceptMore(here, req, f.Shared)
	}
	if !req.Merge {
		if err := emptyPlace(req.Path); err != nil {
			return Accepted{}, err
		}
	}
	if err := s.choose(ctx, f, req); err != nil {
		return Accepted{}, err
	}
	out := Accepted{Added: true, Warnings: s.shortOfSpace(offers, req.Path)}
	out.Folder, err = s.addFolder(f)
	if err != nil {
		_, forget := s.engine.Choose(ctx, f.Shared[0], f.ID, "", status.KeepBoth, "")
		err = errors.Join(err, forget)
	}
	return out, err
}

// choose notes what is to become of the files that differ when a folder is joined.
// What was noted of one that was not joined then goes.
func (s *Service) choose(ctx context.Context, f config.Folder, req Acceptance) error {
	keep, err := keeping(cmp.Or(req.Differ, string(status.KeepBoth)))
	if err != nil {
		return err
	}
	if err := s.store.Config().CheckPlace(s.store.Home(), req.Path); err != nil {
		return err
	}
	if keep != status.KeepBoth {
		switch {
		case f.Type != "" && f.Type != config.SendReceive:
			return notChoosable(f.ID, "it can be chosen only for a folder that both sends and receives")
		case len(f.Shared) != 1:
			return notChoosable(f.ID, "it can be chosen only for one device at a time")
		}
	}
	done, err := s.engine.Choose(ctx, f.Shared[0], f.ID, filepath.Clean(req.Path), keep, req.Token)
	if err == nil && !done {
		return &config.Refusal{
			Reason: config.Exists, Code: "offer-moved", Item: string(f.ID),
			Text:   "what differs was changed since it was shown, and nothing was joined",
			Remedy: "look at it once more",
		}
	}
	if fault.KindOf(err) == fault.Item {
		return named(err, codeNotChoosable)
	}
	return named(err, codeNotTold)
}

func notChoosable(folder bep.FolderID, why string) error {
	return &config.Refusal{
		Reason: config.Invalid, Code: codeNotChoosable, Item: string(folder),
		Text: "which version is kept of files that differ cannot be chosen: " + why, Remedy: "both versions can be kept",
	}
}

// Preview tells what joining a folder at a place would do, and changes nothing.
func (s *Service) Preview(ctx context.Context, folder string, req PreviewRequest) (status.Preview, error) {
	var devices []string
	if req.Device != "" {
		devices = []string{req.Device}
	}
	offers, err := s.chosen(folder, devices)
	if err != nil {
		return status.Preview{}, err
	}
	if err := s.store.Config().CheckPlace(s.store.Home(), req.Path); err != nil {
		return status.Preview{}, err
	}
	id, err := parseID(offers[0].Device)
	if err != nil {
		return status.Preview{}, err
	}
	out, err := s.engine.Preview(ctx, id, bep.FolderID(folder), filepath.Clean(req.Path))
	out.Free = node.FreeAt(req.Path)
	return out, named(err, codeNotTold)
}

// acceptMore shares a folder that is here with more devices.
func (s *Service) acceptMore(here config.Folder, req Acceptance, with []device.ID) (Accepted, error) {
	if req.Path != "" && req.Path != here.Path || req.Type != "" && req.Type != string(here.Type) {
		return Accepted{}, &config.Refusal{
			Reason: config.Exists, Code: "folder-exists", Item: string(here.ID),
			Text:   "the folder is here already, at " + strconv.Quote(here.Path),
			Remedy: "leave out path and type to share it with one more device",
		}
	}
	shared, err := s.editFolder(string(here.ID), func(_ config.Config, f config.Folder) (config.Folder, error) {
		for _, id := range with {
			f = f.SharedWith(id)
		}
		return f, nil
	})
	return Accepted{Folder: shared, Warnings: []string{}}, err
}

// emptyPlace refuses a directory that holds anything but what syncing itself
// left there.
func emptyPlace(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return nil // not there, or CheckPlace and MakeRoot say what is wrong
	}
	defer dir.Close() // only read from: nothing is lost with the error
	for {
		names, err := dir.Readdirnames(16)
		if slices.ContainsFunc(names, content) {
			return &config.Refusal{
				Reason: config.Exists, Code: "place-not-empty", Item: path,
				Text:   strconv.Quote(path) + " is not empty, and joining merges what it holds",
				Remedy: `see "lanyard folder preview" for what would happen, then accept it with --merge`,
			}
		}
		if errors.Is(err, io.EOF) || len(names) == 0 {
			return nil
		}
	}
}

// content reports whether a name in a root is more than what syncing keeps there.
func content(name string) bool {
	p, err := relpath.Parse(name)
	return err != nil || !p.Internal()
}

// shortOfSpace says that more is to come than fits, as far as that is known.
func (s *Service) shortOfSpace(offers []status.Offer, path string) []string {
	var most int64
	for _, o := range offers {
		most = max(most, o.Bytes)
	}
	free := node.FreeAt(path)
	if most <= free {
		return []string{}
	}
	return []string{s.texts.SayOffer(text.OfferSpace, map[string]string{
		"size": strconv.FormatInt(most, 10), "free": strconv.FormatInt(free, 10), "path": path,
	})}
}
