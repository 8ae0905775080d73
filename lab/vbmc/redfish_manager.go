package vbmc

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"sync"
)

// manager answers GET of the Manager, the BMC itself.
func (r *redfishServer) manager(context.Context, []byte) (answer, error) {
	d := r.server.device
	body := object{
		"@odata.id": managerPath, "@odata.type": "#Manager.v1_18_0.Manager", "Id": "1", "Name": "Manager",
		"ManagerType": "BMC", "Manufacturer": d.Manufacturer, "Model": "Virtual BMC", "FirmwareVersion": "1.00",
		"PowerState": "On", "Status": healthy(),
		"Links": object{"ManagerForServers": links(systemPath), "ManagerForChassis": links(boxPath)},
		"Actions": object{"#Manager.Reset": object{
			"target":                            managerPath + "/Actions/Manager.Reset",
			"ResetType@Redfish.AllowableValues": managerResets(),
		}},
	}
	if _, ok := r.server.Machine.(MediaDrive); ok {
		body["VirtualMedia"] = link(mediaPath)
	}
	return answer{body: body}, nil
}

func managerResets() []string { return []string{"ForceRestart", "GracefulRestart"} }

// resetManager restarts the BMC: sessions and volatile settings go.
func (r *redfishServer) resetManager(ctx context.Context, body []byte) (answer, error) {
	values, err := properties(body, "ResetType")
	if err != nil {
		return answer{}, err
	}
	if _, err := choice(values, "ResetType", managerResets()); err != nil {
		return answer{}, err
	}
	_, err = r.server.ipmi.resetBMC(ctx, nil)
	r.sessions.clear()
	return answer{}, err
}

// mediaState is what is in the virtual CD drive.
type mediaState struct {
	mu    sync.Mutex
	image string
}

// cd answers GET of the virtual CD drive.
func (r *redfishServer) cd(context.Context, []byte) (answer, error) {
	r.media.mu.Lock()
	image := r.media.image
	r.media.mu.Unlock()
	body := object{
		"@odata.id": cdPath, "@odata.type": "#VirtualMedia.v1_6_1.VirtualMedia", "Id": "Cd",
		"Name": "Virtual CD", "MediaTypes": []string{"CD", "DVD"}, "Inserted": image != "", "Image": nil, "ImageName": nil,
		"ConnectedVia": "NotConnected", "WriteProtected": true, "TransferMethod": "Stream", "Status": healthy(),
		"Actions": object{
			"#VirtualMedia.InsertMedia": object{"target": cdPath + "/Actions/VirtualMedia.InsertMedia"},
			"#VirtualMedia.EjectMedia":  object{"target": cdPath + "/Actions/VirtualMedia.EjectMedia"},
		},
	}
	if image != "" {
		body["Image"], body["ConnectedVia"] = image, "URI"
		if at, err := url.Parse(image); err == nil {
			body["ImageName"] = path.Base(at.Path)
		}
	}
	return answer{body: body}, nil
}

// insertMedia answers VirtualMedia.InsertMedia. An image that needs a login,
// or that is to be writable, is refused: the machine could not do it.
func (r *redfishServer) insertMedia(ctx context.Context, body []byte) (answer, error) {
	values, err := properties(body, "Image", "Inserted", "WriteProtected", "TransferMethod", "TransferProtocolType", "MediaType")
	if err != nil {
		return answer{}, err
	}
	image, err := text(values, "Image")
	if err != nil {
		return answer{}, err
	}
	at, err := url.Parse(image)
	if err != nil || at.Scheme == "" {
		return answer{}, refuseProperty("ActionParameterValueFormatError", "Image", "Image must be a URL.")
	}
	for _, property := range []string{"Inserted", "WriteProtected"} {
		if raw, ok := values[property]; ok && string(raw) != "true" {
			return answer{}, refuseProperty("ActionParameterNotSupported", property, property+" can only be true.")
		}
	}
	for property, allowed := range map[string][]string{
		"TransferMethod":       {"Stream"},
		"TransferProtocolType": {"HTTP", "HTTPS"}, "MediaType": {"CD", "DVD"},
	} {
		if _, err := choice(values, property, allowed); err != nil {
			return answer{}, err
		}
	}
	note(ctx, VerbMediaInsert, image)
	return answer{}, r.load(ctx, image)
}

func (r *redfishServer) ejectMedia(ctx context.Context, body []byte) (answer, error) {
	note(ctx, VerbMediaEject, "")
	if _, err := properties(body); err != nil {
		return answer{}, err
	}
	return answer{}, r.load(ctx, "")
}

// load changes what is in the drive, one change at a time.
func (r *redfishServer) load(ctx context.Context, image string) error {
	drive, ok := r.server.Machine.(MediaDrive)
	if !ok {
		return refuse(http.StatusNotFound, "ResourceMissingAtURI", "The machine has no virtual media.")
	}
	r.media.mu.Lock()
	defer r.media.mu.Unlock()
	if r.media.image == image {
		callOf(ctx).Outcome = OutcomeUnchanged
		return nil
	}
	if err := drive.LoadMedia(ctx, image); err != nil {
		return err
	}
	r.media.image = image
	return nil
}
