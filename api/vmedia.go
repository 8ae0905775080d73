package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Media puts images into the virtual drives of nodes. Changes go on after the answer: a failure is the node's
// last_error.
type Media interface {
	Media(ctx context.Context, node ingot.Node) ([]ingot.Medium, error)
	AttachMedia(ctx context.Context, node ingot.Node, device ingot.MediaDevice, url string) error
	// DetachMedia empties the drives of the sorts; all for none.
	DetachMedia(ctx context.Context, node ingot.Node, devices []ingot.MediaDevice) error
}

// listMedia is GET /v1/nodes/{node}/vmedia.
func listMedia(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	drives, err := r.api.Media.Media(r.Context(), node)
	if err != nil {
		return response{}, bmcFailure(err)
	}
	items := make([]map[string]any, len(drives))
	for i, d := range drives {
		items[i] = map[string]any{"media_types": slices.Concat([]string{}, d.Types), "inserted": d.Inserted, "image": orNull(d.Image)}
	}
	return response{body: items}, nil
}

// attachMedia is POST /v1/nodes/{node}/vmedia.
func attachMedia(r *request) (response, error) {
	body, err := r.json()
	if err != nil {
		return response{}, err
	}
	device, image, err := mediaArgs(body)
	if err != nil {
		return response{}, err
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	if err := r.api.Media.AttachMedia(r.Context(), node, device, image); err != nil {
		return response{}, bmcFailure(err)
	}
	return response{status: http.StatusNoContent}, nil
}

// mediaArgs reads the body of an attachment (Ironic's VMEDIA_ATTACH_VALIDATOR). The BMC reads the image at its own URL,
// which is image_download_source http: another source is refused, and none is taken for that one.
func mediaArgs(body any) (device ingot.MediaDevice, image string, err error) {
	object, ok := body.(map[string]any)
	if !ok {
		return "", "", schemaError("vmedia", "%s is not of type 'object'", repr(body))
	}
	sources, devices := []string{"http", "local", "swift"}, mediaWords()
	var unexpected []string
	for key := range object {
		if key != "device_type" && key != "image_url" && key != "image_download_source" {
			unexpected = append(unexpected, key)
		}
	}
	if len(unexpected) > 0 {
		return "", "", unexpectedError("vmedia", unexpected)
	}
	for _, key := range []string{"device_type", "image_url"} {
		if _, given := object[key]; !given {
			return "", "", schemaError("vmedia", "'%s' is a required property", key)
		}
	}
	for key, v := range object {
		if _, isText := v.(string); !isText {
			return "", "", schemaError("vmedia", "%s is not of type 'string'", repr(v))
		}
		if words := map[string][]string{"device_type": devices, "image_download_source": sources}[key]; words != nil && !slices.Contains(words, v.(string)) {
			return "", "", schemaError("vmedia", "%s is not one of [%s]", repr(v), reprWords(words))
		}
	}
	image = object["image_url"].(string)
	at, err := url.Parse(image)
	if err != nil {
		return "", "", ingot.Errorf(ingot.Invalid, "Invalid image_url %s: it is not a URL", image)
	}
	if !slices.Contains([]string{"http", "https", "nfs", "cifs", "smb"}, at.Scheme) {
		return "", "", ingot.Errorf(ingot.Invalid, "Unsupported or missing URL scheme: %s", at.Scheme)
	}
	if source, given := object["image_download_source"]; given && source != "http" {
		return "", "", ingot.Errorf(ingot.Unsupported, "image_download_source %s is not carried out for virtual media: the BMC reads the image at image_url; use http", source)
	}
	return ingot.MediaDevice(object["device_type"].(string)), image, nil
}

func mediaWords() []string {
	var words []string
	for _, d := range ingot.MediaDevices() {
		words = append(words, string(d))
	}
	return words
}

// detachMedia is DELETE /v1/nodes/{node}/vmedia.
func detachMedia(r *request) (response, error) {
	a := r.args("device_types")
	types := a.list("device_types")
	if a.err != nil {
		return response{}, a.err
	}
	var invalid []string
	devices := make([]ingot.MediaDevice, 0, len(types))
	for _, t := range types {
		if !slices.Contains(mediaWords(), t) {
			invalid = append(invalid, t)
		}
		devices = append(devices, ingot.MediaDevice(t))
	}
	if invalid != nil {
		return response{}, ingot.Errorf(ingot.Invalid, "Invalid device type(s) %s (valid are %s)", strings.Join(invalid, ", "), strings.Join(mediaWords(), ", "))
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	if err := r.api.Media.DetachMedia(r.Context(), node, devices); err != nil {
		return response{}, bmcFailure(err)
	}
	return response{status: http.StatusNoContent}, nil
}
