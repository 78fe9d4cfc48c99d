package service

import (
	"context"
	"strconv"

	"lanyard/app/activity"
	"lanyard/app/config"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/status"
)

// ActivityRequest says which part of what happened is wanted.
type ActivityRequest struct {
	Before string `query:"before" doc:"where the part begins, as the one before said; default: with the newest"`
	Folder string `query:"folder" doc:"ID; default: all of them, and what is about none"`
	Device string `query:"device" doc:"ID, first group or name; default: whoever it was"`
	Kind   string `query:"kind" enum:"files,devices,folders,problems" doc:"default: all of them"`
	Search string `query:"search" doc:"stands in the name of a file, a folder or a device"`
}

// Activity gives a part of what happened since the start, the newest first.
// Folders and devices need not be configured any more.
func (s *Service) Activity(_ context.Context, req ActivityRequest) (status.Activity, error) {
	if _, err := strconv.ParseUint(req.Before, 10, 64); req.Before != "" && err != nil {
		return status.Activity{}, &config.Refusal{Reason: config.Invalid, Item: req.Before, Text: "a part begins where the one before said"}
	}
	snap := s.engine.Snapshot()
	wanted := activity.Wanted{Before: req.Before, Folder: req.Folder, Device: req.Device, Kind: req.Kind, Search: req.Search}
	if d, err := s.store.Config().FindDevice(req.Device); err == nil && req.Device != "" {
		wanted.Device = d.ID.String()
	}
	return s.log.Part(wanted, whoOf(snap), func(h *status.Happening) {
		h.Text = s.worded(status.Problem{Code: h.Code, Text: h.Text, Param: h.Param}).Text
	}), nil
}

// whoOf names the devices of a state, and this one.
func whoOf(s status.Snapshot) activity.Who {
	type named struct{ id, name string }
	known := map[device.ShortID]named{}
	note := func(id, name string) {
		if full, err := device.Parse(id); err == nil {
			known[full.Short()] = named{id, name}
		}
	}
	for _, d := range s.Devices {
		note(d.ID, bep.CleanName(d.Name))
	}
	note(s.DeviceID, bep.CleanName(s.Name))
	return func(short device.ShortID) (id, name string, ok bool) {
		d, ok := known[short]
		return d.id, d.name, ok
	}
}
