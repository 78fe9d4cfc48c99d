package bep

import "fmt"

// Offer tells a device with which a folder is shared, and which has not joined
// it, how much there is to get.
type Offer struct {
	Folder FolderID
	Files  int64
	Bytes  int64
}

// Extension is the message that carries it.
func (o *Offer) Extension() *Extension {
	b := appendString(nil, tagOfferFolder, string(o.Folder))
	b = appendInt(b, tagOfferFiles, o.Files)
	return &Extension{Type: TypeOffer, Body: appendInt(b, tagOfferBytes, o.Bytes)}
}

// DecodeOffer reads the body of such a message.
func DecodeOffer(b []byte) (o Offer, err error) {
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return Offer{}, err
		}
		switch f.tag {
		case tagOfferFolder:
			o.Folder = FolderID(f.bytes)
		case tagOfferFiles:
			o.Files = f.int64()
		case tagOfferBytes:
			o.Bytes = f.int64()
		}
	}
	switch {
	case o.Folder == "":
		return Offer{}, errNoFolderID
	case o.Files < 0 || o.Bytes < 0:
		return Offer{}, fmt.Errorf("folder %s: %w", quote(string(o.Folder)), errNegative)
	}
	return o, nil
}
