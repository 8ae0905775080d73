package conductor

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/images/configdrive"
)

// bringConfigDrive has the instance's config drive ready for the node that takes it over, with that one's network cards in
// the place of those that it had: the same instance, elsewhere.
func bringConfigDrive(ctx context.Context, r *Run) (Progress, error) {
	text, kind, err := r.c.Blobs.Blob(ctx, configDriveKey(r.Node.UUID))
	if ingot.CodeOf(err) == ingot.NotFound {
		return Holds(), nil
	}
	if err != nil {
		return Progress{}, err
	}
	about, err := takerOf(ctx, r)
	if err != nil {
		return Progress{}, err
	}
	pairs, err := ingot.PairPorts(r.Ports, about.Ports)
	if err != nil {
		return Progress{}, ingot.Fatal(err)
	}
	packed, err := replugDrive(string(text), ingot.Cards(pairs))
	if err != nil {
		return Progress{}, ingot.Fatal(fmt.Errorf("cannot use the config drive of %s: %w", r.Node.Label(), err))
	}
	if err := r.c.Blobs.PutBlob(ctx, configDriveKey(about.Node.UUID), kind, []byte(packed), r.Now.Add(blobsKept)); err != nil {
		return Progress{}, err
	}
	r.Remember("config_drive", configDriveName)
	return Holds(), nil
}

// replugDrive is a config drive with other network cards. Addresses of cards are all as long as each other, so that nothing
// in the image moves.
func replugDrive(text string, cards map[string]string) (string, error) {
	iso, err := configdrive.Decode(text, maxConfigDrive)
	if err != nil {
		return "", err
	}
	for old, taking := range cards {
		iso = bytes.ReplaceAll(iso, []byte(old), []byte(taking))
		iso = bytes.ReplaceAll(iso, []byte(strings.ToUpper(old)), []byte(strings.ToUpper(taking)))
	}
	return configdrive.Encode(iso)
}
