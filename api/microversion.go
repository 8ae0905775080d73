package api

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// The microversions served, by their minor part; the major part is always 1.
const (
	minMinor = 1
	maxMinor = 115
)

// The headers of negotiation (Ironic; the generic one is the OpenStack API SIG's).
const (
	versionHeader    = "X-OpenStack-Ironic-API-Version"
	minVersionHeader = "X-OpenStack-Ironic-API-Minimum-Version"
	maxVersionHeader = "X-OpenStack-Ironic-API-Maximum-Version"
	genericHeader    = "OpenStack-API-Version"
)

var versionPattern = regexp.MustCompile(`^([0-9]{1,9})\.([0-9]{1,9})$`)

// versionText is a minor version as clients write it.
func versionText(minor int) string { return "1." + strconv.Itoa(minor) }

// setVersionRange tells the client what it may ask for; it is part of every answer.
func setVersionRange(h http.Header) {
	h.Set(minVersionHeader, versionText(minMinor))
	h.Set(maxVersionHeader, versionText(maxMinor))
}

// negotiate finds the minor version that a request asks for: the lowest when it names none.
func negotiate(h http.Header) (int, error) {
	asked := askedVersion(h)
	switch {
	case asked == "":
		return minMinor, nil
	case strings.EqualFold(asked, "latest"):
		return maxMinor, nil
	}
	parts := versionPattern.FindStringSubmatch(asked)
	if parts == nil {
		return 0, frameworkError{http.StatusNotAcceptable, "Invalid value for " + versionHeader + " header"}
	}
	major, _ := strconv.Atoi(parts[1]) // at most nine digits, by the pattern
	minor, _ := strconv.Atoi(parts[2])
	served := fmt.Sprintf("The supported version range is: [%s, %s].", versionText(minMinor), versionText(maxMinor))
	if major != 1 {
		return 0, frameworkError{http.StatusNotAcceptable, fmt.Sprintf(
			"Mutually exclusive versions requested. Version %d.%d requested but not supported by this service. %s", major, minor, served)}
	}
	if minor < minMinor || minor > maxMinor {
		return 0, frameworkError{http.StatusNotAcceptable, fmt.Sprintf(
			"Version 1.%d was requested but the minor version is not supported by this service. %s", minor, served)}
	}
	return minor, nil
}

// askedVersion is the text of the version that a request names: the generic header wins, of which one value is meant
// for us among those for other services.
func askedVersion(h http.Header) string {
	for _, value := range h.Values(genericHeader) {
		for part := range strings.SplitSeq(value, ",") {
			service, version, ok := strings.Cut(strings.TrimSpace(part), " ")
			if ok && strings.EqualFold(service, "baremetal") {
				return strings.TrimSpace(version)
			}
		}
	}
	return strings.TrimSpace(strings.Join(h.Values(versionHeader), ","))
}
