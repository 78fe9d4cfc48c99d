package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// Offer is a folder that another device offers, and what a person answered to
// it. Offers are no part of the Config: they are what others say, and go when
// those say so.
type Offer struct {
	Device  device.ID    `json:"device"`
	Folder  bep.FolderID `json:"folder"`
	Label   string       `json:"label"`
	Time    time.Time    `json:"time"`
	Refused bool         `json:"refused,omitempty"`
	Counted bool         `json:"counted,omitempty"` // Files and Bytes are known
	Files   int64        `json:"files,omitempty"`
	Bytes   int64        `json:"bytes,omitempty"`
}

// offersFile is how offers are kept.
type offersFile struct {
	Version int     `json:"version"`
	Offers  []Offer `json:"offers"`
}

const (
	offersVersion = 1
	// maxOffersFile bounds what is read, in bytes; what the engine keeps of
	// offers needs less.
	maxOffersFile = 4 << 20
)

func (h Home) offersFile() string { return filepath.Join(h.dir, "offers.json") }

// LoadOffers reads the offers that were kept last; a home without any has none.
func (h Home) LoadOffers() ([]Offer, error) {
	f, err := os.Open(h.offersFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "read offers", "", err)
	}
	defer f.Close() // only read from: nothing is lost with the error
	data, err := io.ReadAll(io.LimitReader(f, maxOffersFile+1))
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "read offers", "", err)
	}
	if len(data) > maxOffersFile {
		return nil, fault.New(fault.Node, "", "read offers: %s is too large", h.offersFile())
	}
	var kept offersFile
	if err := json.Unmarshal(data, &kept); err != nil {
		return nil, fault.Wrap(fault.Node, "", "read offers", h.offersFile(), err)
	}
	if kept.Version != offersVersion {
		return nil, fault.New(fault.Node, "", "read offers: version %d is not known", kept.Version)
	}
	return kept.Offers, nil
}

// SaveOffers keeps offers, durably: the file is the old or the new one, whole.
func (h Home) SaveOffers(offers []Offer) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	if err := enc.Encode(offersFile{offersVersion, offers}); err != nil {
		return fmt.Errorf("encode offers: %w", err)
	}
	if err := replace(h.offersFile(), text.Bytes()); err != nil {
		return fault.Wrap(fault.Node, "", "write offers", "", err)
	}
	return fault.Wrap(fault.Node, "", "write offers", "", syncDirectory(h.dir))
}
