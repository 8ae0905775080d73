package pxe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// The paths on the boot listener.
const (
	ScriptPath = "/boot/script"  // GET ?mac=&uuid=&arch=: an iPXE script
	LoaderPath = "/boot/loader/" // GET {name}: a loader, for UEFI HTTP boot
	FilePath   = "/boot/file/"   // GET {token}/{name}: a kernel or initramfs
)

// Handler serves what machines fetch over HTTP while they boot: scripts, loaders, kernels. Mount it at "/boot/" of the
// boot listener; its routes have the whole paths.
func (s *Server) Handler() http.Handler {
	s.begin()
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+ScriptPath, s.getScript)
	mux.HandleFunc("GET "+LoaderPath+"{name}", s.getLoader)
	mux.HandleFunc("GET "+FilePath+"{token}/{name}", s.getFile)
	return mux
}

// getScript answers iPXE with the script of what the machine shall boot now.
func (s *Server) getScript(w http.ResponseWriter, r *http.Request) {
	ask, err := scriptRequest(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	base, err := baseOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ask.Network, ask.Address = s.networkAt(r)
	spec, err := s.Decider.Decide(r.Context(), ask)
	var text string
	if err == nil {
		text, err = script(spec, base, scriptURL(base, client{MAC: ask.MAC, Arch: ask.Arch, UUID: ask.UUID}))
	}
	if err != nil {
		s.Logger.Warn("no script", "network", ask.Network, "mac", ask.MAC, "error", err)
		s.saw(ask.Network, ask.MAC, "no script: "+err.Error())
		w.Header().Set("Retry-After", "3")
		http.Error(w, "nothing can be said now: ask again", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := io.WriteString(w, text); err == nil && r.Method == http.MethodGet {
		s.saw(ask.Network, ask.MAC, "sent script: "+told(spec))
	}
}

// told is what a script does, for people.
func told(spec ingot.BootSpec) string {
	switch {
	case spec.Action == ingot.BootSilence:
		return "nothing to boot"
	case spec.Why != "":
		return spec.Why
	}
	return string(spec.Action)
}

// scriptRequest reads a script's parameters. mac is needed, in any usual notation; the others may be missing. arch is a number
// of option 93 or iPXE's ${buildarch}, with ${platform} as platform; a script of somebody else's may send what
// it likes for a UUID that it does not have.
func scriptRequest(q url.Values) (ingot.BootRequest, error) {
	hw, err := net.ParseMAC(q.Get("mac"))
	if err != nil || len(hw) != 6 {
		return ingot.BootRequest{}, fmt.Errorf("cannot read mac=%.40q: give an Ethernet address, such as ${net0/mac}", q.Get("mac"))
	}
	ask := ingot.BootRequest{MAC: hw.String(), Loader: "ipxe"}
	if id, err := uuid.Parse(q.Get("uuid")); err == nil && id != uuid.Nil && id != uuid.Max {
		ask.UUID = id.String()
	}
	arch := q.Get("arch")
	if n, err := strconv.ParseUint(arch, 10, 16); err == nil {
		ask.Arch = ingot.Arch(n)
		return ask, nil
	}
	switch {
	case arch == "arm64":
		ask.Arch = ingot.ArchARM64
	case q.Get("platform") == "efi":
		ask.Arch = ingot.ArchX64
	case arch == "" || arch == "i386" || arch == "x86_64":
		ask.Arch = ingot.ArchBIOS
	default:
		return ingot.BootRequest{}, fmt.Errorf("cannot read arch=%.40q: give a number of DHCP option 93, or ${buildarch} with platform=${platform}", arch)
	}
	return ask, nil
}

// hostName is what may stand in a URL's place for the host.
var hostName = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?$`)

// baseOf is the boot listener's URL as this client reaches it, which is the only one that is sure to work for it.
func baseOf(r *http.Request) (string, error) {
	if !hostName.MatchString(r.Host) {
		return "", errors.New("cannot read the Host header")
	}
	if r.TLS != nil {
		return "https://" + r.Host, nil
	}
	return "http://" + r.Host, nil
}

// networkAt is the network that a request came from, by the client's address or else by ours, and the client's address.
func (s *Server) networkAt(r *http.Request) (string, netip.Addr) {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	from := peer.Addr().Unmap()
	if name, ok := s.networkOf(from); ok {
		return name, from
	}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		local, _ := netip.ParseAddrPort(a.String())
		name, _ := s.networkOf(local.Addr().Unmap())
		return name, from
	}
	return "", from
}

// getLoader serves a loader to UEFI HTTP boot. Observed: OVMF asks HEAD first for the size, then GET; the type or the
// ending .efi tells it what it is.
func (s *Server) getLoader(w http.ResponseWriter, r *http.Request) {
	f, err := s.openLoader(r.PathValue("name"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	content, ok := f.(io.ReadSeeker)
	if err != nil || !ok {
		http.Error(w, "cannot read the loader", http.StatusInternalServerError)
		return
	}
	if strings.HasSuffix(info.Name(), ".efi") {
		w.Header().Set("Content-Type", "application/efi")
	}
	s.serve(w, r, info.Name(), info.ModTime(), content, info.Size())
}

// getFile serves a kernel or initramfs.
func (s *Server) getFile(w http.ResponseWriter, r *http.Request) {
	if s.Files == nil {
		http.NotFound(w, r)
		return
	}
	name := r.PathValue("name")
	f, size, err := s.Files.Open(r.Context(), r.PathValue("token"), name)
	switch {
	case errors.Is(err, fs.ErrNotExist), ingot.CodeOf(err) == ingot.NotFound:
		http.NotFound(w, r)
		return
	case err != nil:
		s.Logger.Warn("boot file not opened", "file", name, "error", err)
		http.Error(w, "cannot open the file now: ask again", http.StatusServiceUnavailable)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	s.serve(w, r, name, time.Time{}, f, size)
}

// serve sends a file, or the range asked for, and records it when its last byte went out.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, name string, changed time.Time, content io.ReadSeeker, size int64) {
	end := &tail{ReadSeeker: content}
	http.ServeContent(w, r, name, changed, end)
	if r.Method != http.MethodGet || end.at < size || r.Context().Err() != nil {
		return
	}
	_, from := s.networkAt(r)
	s.sawAt(from, "sent "+name)
}

// tail knows how far a file was read.
type tail struct {
	io.ReadSeeker
	at int64
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.ReadSeeker.Read(p)
	t.at += int64(n)
	return n, err
}

func (t *tail) Seek(offset int64, whence int) (int64, error) {
	at, err := t.ReadSeeker.Seek(offset, whence)
	if err == nil && whence == io.SeekStart {
		t.at = at
	}
	return at, err
}
