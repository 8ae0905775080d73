// Package cmdline reads the kernel's command line: the way that Ironic tells a ramdisk where it is and how to behave.
// The names are ironic-python-agent's (its config.py).
package cmdline

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	ingot "github.com/ingot-metal/ingot"
)

// Options is what the agent takes from the command line. Zero means not given, except where a default is named.
type Options struct {
	APIURLs        []string // ipa-api-url, separated by commas
	InspectionURLs []string // ipa-inspection-callback-url, separated by commas
	Collectors     []string // ipa-inspection-collectors, separated by commas
	Debug          bool     // ipa-debug
	Insecure       bool     // ipa-insecure: do not verify TLS certificates of the API and of image servers
	CAFile         string   // ipa-ca-file: path of a PEM file in the ramdisk
	Token          string   // ipa-agent-token: given instead of by lookup (virtual media)
	BootIF         string   // BOOTIF as given, 01-aa-bb-cc-dd-ee-ff
	// RootDevice are root device hints for when the node has none: root_device=model=foo,size=>= 60, values URL-encoded.
	RootDevice    map[string]any
	ListenPort    int           // ipa-listen-port, 9999 by default
	AdvertiseHost string        // ipa-advertise-host
	AdvertisePort int           // ipa-advertise-port, ListenPort by default
	LookupTimeout time.Duration // ipa-lookup-timeout, seconds, 600 by default
	HTTPTimeout   time.Duration // ipa-http-request-timeout, seconds, 30 by default
	DiskWait      time.Duration // ipa-disk-wait-attempts × ipa-disk-wait-delay, 10 × 3 s by default
	HardwareDelay time.Duration // ipa-hardware-initialization-delay, seconds
	Blacklist     []string      // modprobe.blacklist: kernel modules that are not to be loaded
	// Ignored are parameters that begin with ipa- and that this agent has no use for: told on the console, so that
	// nothing is silently without effect.
	Ignored []string
}

// limits of what is read: the kernel's own limit is 4096 bytes at most (COMMAND_LINE_SIZE 2048 on x86, 4096 on others).
const maxLine = 64 << 10

// Words splits a kernel command line as the kernel does: at white space outside double quotes, the quotes dropped.
func Words(line string) []string {
	if len(line) > maxLine {
		line = line[:maxLine]
	}
	var words []string
	var word strings.Builder
	quoted, begun := false, false
	for _, c := range line {
		switch {
		case c == '"':
			quoted, begun = !quoted, true
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0):
			if begun {
				words = append(words, word.String())
				word.Reset()
			}
			begun = false
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}

// Public is the line without its secrets, for people to read.
func Public(line string) string {
	words := Words(line)
	for i, word := range words {
		if name, _, ok := strings.Cut(word, "="); ok && ingot.SecretKey(name) {
			words[i] = name + "=" + ingot.Stars
		}
	}
	return strings.Join(words, " ")
}

// Parse reads line. A value that makes no sense is as if it were not given; nothing on a command line is worth not
// starting for.
func Parse(line string) Options {
	o := Options{ListenPort: 9999, LookupTimeout: 600 * time.Second, HTTPTimeout: 30 * time.Second}
	attempts, delay := 10, 3*time.Second
	for _, word := range Words(line) {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "ipa-disk-wait-attempts":
			attempts = number(value, attempts, 1000)
		case "ipa-disk-wait-delay":
			delay = seconds(value, delay)
		default:
			o.set(name, value)
		}
	}
	o.DiskWait = time.Duration(attempts) * delay
	if o.AdvertisePort == 0 {
		o.AdvertisePort = o.ListenPort
	}
	return o
}

func (o *Options) set(name, value string) {
	switch name {
	case "ipa-api-url":
		o.APIURLs = urls(value)
	case "ipa-inspection-callback-url":
		o.InspectionURLs = urls(value)
	case "ipa-inspection-collectors":
		o.Collectors = list(value)
	case "ipa-debug":
		o.Debug = truth(value)
	case "ipa-insecure":
		o.Insecure = truth(value)
	case "ipa-ca-file":
		o.CAFile = value
	case "ipa-agent-token":
		o.Token = value
	case "BOOTIF":
		o.BootIF = value
	case "root_device":
		o.RootDevice = hints(value)
	case "modprobe.blacklist":
		o.Blacklist = append(o.Blacklist, list(value)...)
	case "ipa-listen-port":
		o.ListenPort = number(value, o.ListenPort, 65535)
	case "ipa-advertise-host":
		o.AdvertiseHost = value
	case "ipa-advertise-port":
		o.AdvertisePort = number(value, o.AdvertisePort, 65535)
	case "ipa-lookup-timeout":
		o.LookupTimeout = seconds(value, o.LookupTimeout)
	case "ipa-http-request-timeout":
		o.HTTPTimeout = seconds(value, o.HTTPTimeout)
	case "ipa-hardware-initialization-delay":
		o.HardwareDelay = seconds(value, o.HardwareDelay)
	default:
		if strings.HasPrefix(name, "ipa-") {
			o.Ignored = append(o.Ignored, name)
		}
	}
}

// BootMAC is BOOTIF's MAC address in lower case with colons, "" when there is none. Its first byte is the ARP hardware
// type (pxelinux; iPXE's ${net0/mac:hexhyp} comes without).
func (o Options) BootMAC() string {
	text := strings.ToLower(strings.ReplaceAll(o.BootIF, "-", ":"))
	if strings.Count(text, ":") == 6 {
		_, text, _ = strings.Cut(text, ":")
	}
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != 6 {
		return ""
	}
	return mac.String()
}

func list(value string) []string {
	var out []string
	for _, item := range strings.Split(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

func urls(value string) []string {
	var out []string
	for _, item := range list(value) {
		if u, err := url.Parse(item); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
			out = append(out, item)
		}
	}
	return out
}

// truth follows oslo.utils' bool_from_string; a bare word is true.
func truth(value string) bool {
	switch strings.ToLower(value) {
	case "", "1", "t", "true", "on", "y", "yes":
		return true
	}
	return false
}

func number(value string, otherwise, most int) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > most {
		return otherwise
	}
	return n
}

// seconds reads a count of seconds, at most a day.
func seconds(value string, otherwise time.Duration) time.Duration {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || !(f >= 0 && f <= 86400) {
		return otherwise
	}
	return time.Duration(f * float64(time.Second))
}

func hints(value string) map[string]any {
	out := map[string]any{}
	for _, item := range strings.Split(value, ",") {
		name, text, ok := strings.Cut(item, "=")
		if decoded, err := url.PathUnescape(text); ok && err == nil {
			out[name] = decoded
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
