package ingot

import (
	"context"
	"io"
)

// GuestMaker is the extra ability of a guest's machine: it can be made, given disks, and done away with. All methods look
// first and change what differs; repeating one is harmless. An Unavailable error with a time in it means that work goes
// on behind it: ask again.
type GuestMaker interface {
	// DefineGuest has the machine on its host as the node and its ports say, with a blank disk where it has none. One that
	// runs has what changed when it starts next. Invalid and Unsupported name what the host cannot give.
	DefineGuest(ctx context.Context, ports []Port) error
	// BlankDisk gives the machine, which is off, a new disk with nothing on it.
	BlankDisk(ctx context.Context) error
	// ImageDisk gives the machine, which is off, a new disk that begins as the image. The key is of this disk: the same one
	// again finds the disk that was made for it, whatever has been written to it since.
	ImageDisk(ctx context.Context, key string, image GuestImage) error
	// ConfigDrive has an ISO 9660 image in a drive of its own; nil takes the drive away. The machine is off.
	ConfigDrive(ctx context.Context, iso []byte) error
	// RemoveGuest does away with the machine and all its disks, whether it runs or not.
	RemoveGuest(ctx context.Context) error
}

// PortPlugger is the extra ability of a guest's machine to have the network cards of its ports.
type PortPlugger interface {
	// PlugPorts has the machine start next with a card for each port and no others; nothing else of it changes, and one that
	// Ingot did not make keeps its own. Unsupported: it has snapshots, which keep the cards that it has. Invalid and
	// Unsupported also name what the host cannot give.
	PlugPorts(ctx context.Context, ports []Port) error
}

// GuestImage is an image for the disks of guests.
type GuestImage struct {
	ImageReady
	// Open gives the image's bytes, all Size of them, whose checksum nobody has looked at. It may be called more than once.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// ImageOpener gives the bytes of images that an ImagePreparer has made ready.
type ImageOpener interface {
	// OpenImage is asked again until it answers, as ImagePreparer is. What it gives is on this machine and can be read at
	// once.
	OpenImage(ctx context.Context, source ImageSource) (GuestImage, error)
}

// ConsoleLog is the extra ability to show what a machine said on its serial console.
type ConsoleLog interface {
	// ConsoleLog gives at most the last most bytes.
	ConsoleLog(ctx context.Context, most int64) ([]byte, error)
}

// SerialConsole is the extra ability to have people sit at a machine's serial console.
type SerialConsole interface {
	// OpenConsole joins it: reads give what the machine says from now on and wait for it, writes type. One has it at a
	// time: a second is a Conflict, unless force takes it away from the first. So is a machine that is off.
	OpenConsole(ctx context.Context, force bool) (io.ReadWriteCloser, error)
}
