package conductor

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/images/configdrive"
)

// maxConfigDrive bounds a config drive, packed and unpacked, in bytes (Ironic's limit for the partition).
const maxConfigDrive = 64 << 20

// configDriveKey is where a node's config drive is kept, as base64 of a gzip ISO 9660 image: what agents take.
func configDriveKey(node string) string { return "config-drive/" + node }

// buildConfigDrive has the instance's config drive ready to be fetched. A rebuild that brings none keeps the one that
// the instance had.
func buildConfigDrive(ctx context.Context, r *Run) (Progress, error) {
	text := strings.TrimSpace(ingot.Text(r.Op.Params, "configdrive"))
	switch {
	case strings.HasPrefix(text, "http://"), strings.HasPrefix(text, "https://"):
		r.Remember("config_drive", text)
		return Holds(), nil
	case text == "" && r.Op.Kind == ingot.KindRebuild:
		if _, _, err := r.c.Blobs.Blob(ctx, configDriveKey(r.Node.UUID)); err == nil {
			r.Remember("config_drive", configDriveName)
		}
		return Holds(), nil
	case text == "":
		return Holds(), r.c.Blobs.DeleteBlob(ctx, configDriveKey(r.Node.UUID))
	}
	packed, err := packConfigDrive(text, r.Node)
	if err != nil {
		return Progress{}, ingot.Fatal(err)
	}
	if err := r.c.Blobs.PutBlob(ctx, configDriveKey(r.Node.UUID), "text/plain", []byte(packed), r.Now.Add(blobsKept)); err != nil {
		return Progress{}, err
	}
	r.Remember("config_drive", configDriveName)
	return Holds(), nil
}

// packConfigDrive turns what the user gave into base64 of a gzip ISO: JSON is built, anything else must be that already.
func packConfigDrive(text string, n *ingot.Node) (string, error) {
	if !strings.HasPrefix(text, "{") {
		if _, err := configdrive.Decode(text, maxConfigDrive); err != nil {
			return "", ingot.Errorf(ingot.Invalid, "cannot use configdrive: %w", err)
		}
		return text, nil
	}
	data, err := configdrive.Parse([]byte(text))
	if err != nil {
		return "", ingot.Errorf(ingot.Invalid, "cannot use configdrive: %w", err)
	}
	if err := data.SetDefaults(n.UUID, n.Name); err != nil {
		return "", err
	}
	if data.NetworkData == nil && len(n.NetworkData) > 0 {
		if data.NetworkData, err = json.Marshal(n.NetworkData); err != nil {
			return "", ingot.Errorf(ingot.Invalid, "cannot use the node's network_data: %w", err)
		}
	}
	iso, err := configdrive.Build(data)
	if err != nil {
		return "", ingot.Errorf(ingot.Invalid, "cannot build the config drive: %w", err)
	}
	return configdrive.Encode(iso)
}

// configDriveURL is where the agent of this attempt gets its config drive; "" when there is none.
func (r *Run) configDriveURL() string {
	switch place := ingot.Text(r.Op.Memory, "config_drive"); place {
	case configDriveName:
		return r.atBoot("{boot}/boot/file/" + r.Node.Boot.Token + "/" + configDriveName)
	default:
		return place
	}
}

// validConfigDrive refuses a config drive at the door, where the user still sees it.
func validConfigDrive(text string, n *ingot.Node) error {
	if strings.HasPrefix(text, "{") && !json.Valid([]byte(text)) {
		return ingot.Errorf(ingot.Invalid, "cannot read configdrive: it is not valid JSON")
	}
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return nil
	}
	_, err := packConfigDrive(text, n)
	return err
}
