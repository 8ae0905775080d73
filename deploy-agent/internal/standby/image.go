package standby

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
)

// imageInfo is what Ironic says of the image to write (ironic/drivers/modules/agent.py, write_image).
type imageInfo struct {
	ID            string            `json:"id"`
	URLs          []string          `json:"urls"`
	Checksum      *string           `json:"checksum"`                    // hexadecimal, or the URL of a checksum file
	HashAlgo      *string           `json:"os_hash_algo"`                // sha256, sha512
	HashValue     *string           `json:"os_hash_value"`               // as Checksum
	DiskFormat    string            `json:"disk_format"`                 // raw, qcow2; "" means: as its first bytes tell
	ImageType     string            `json:"image_type"`                  // whole-disk-image; partition is refused
	ConfigDrive   *string           `json:"configdrive"`                 // as the parameter of that name, from older conductors
	Authorization string            `json:"image_request_authorization"` // base64 of an Authorization header
	AuthStrategy  string            `json:"image_server_auth_strategy"`  // http_basic
	User          string            `json:"image_server_user"`
	Password      string            `json:"image_server_password"`
	Proxies       map[string]string `json:"proxies"` // by scheme
	NoProxy       string            `json:"no_proxy"`
}

// decodeInfo reads image_info and refuses what ironic-python-agent refuses, in its words.
func decodeInfo(p command.Params) (imageInfo, error) {
	var info imageInfo
	if err := p.Decode("image_info", &info); err != nil {
		return info, err
	}
	switch {
	case info.ID == "":
		return info, command.InvalidParams("Image is missing 'id' field.")
	case info.URLs == nil:
		return info, command.InvalidParams("Image is missing 'urls' field.")
	case len(info.URLs) == 0:
		return info, command.InvalidParams("Image 'urls' must be a list with at least one element.")
	case info.Checksum != nil && *info.Checksum == "":
		return info, command.InvalidParams("Image 'checksum' must be a non-empty string.")
	case info.ImageType == "partition":
		return info, command.InvalidParams("Image %s is a partition image; this agent writes whole-disk images only", info.ID)
	}
	if info.HashAlgo != nil || info.HashValue != nil {
		switch {
		case info.HashAlgo == nil || *info.HashAlgo == "":
			return info, command.InvalidParams("Image 'os_hash_algo' must be a non-empty string.")
		case info.HashValue == nil || *info.HashValue == "":
			return info, command.InvalidParams("Image 'os_hash_value' must be a non-empty string.")
		}
		return info, info.judgeAuthorization()
	}
	if info.Checksum == nil || !isURL(*info.Checksum) && len(*info.Checksum) <= 32 { // 32 is MD5, which proves nothing
		return info, command.InvalidParams("Image checksum is not available, either the 'checksum' field or the 'os_hash_algo' " +
			"and 'os_hash_value' fields pair must be set for image verification. (An MD5 checksum is not accepted.)")
	}
	return info, info.judgeAuthorization()
}

func isURL(text string) bool {
	return strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")
}

func (i imageInfo) judgeAuthorization() error {
	_, err := i.header()
	return err
}

// header is what goes with each request for the image.
func (i imageInfo) header() (http.Header, error) {
	h := http.Header{}
	switch {
	case i.Authorization != "":
		text, err := base64.StdEncoding.DecodeString(i.Authorization)
		if err != nil {
			return nil, command.InvalidParams("image_request_authorization is not base64")
		}
		h.Set("Authorization", string(text))
	case i.AuthStrategy == "http_basic":
		if i.User == "" || i.Password == "" {
			return nil, command.InvalidParams("Missing user or password fields from HTTP(S) basic auth config")
		}
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(i.User+":"+i.Password)))
	case i.AuthStrategy != "" && i.AuthStrategy != "noauth":
		return nil, command.InvalidParams("image_server_auth_strategy %s is not known; known are http_basic and noauth", i.AuthStrategy)
	}
	return h, nil
}

// digest gives the algorithm ("" means by length) and the value, which may still be a URL.
func (i imageInfo) digest() (algo, value string) {
	if i.HashAlgo != nil && i.HashValue != nil {
		return *i.HashAlgo, *i.HashValue
	}
	if i.Checksum != nil {
		return "", *i.Checksum
	}
	return "", ""
}
