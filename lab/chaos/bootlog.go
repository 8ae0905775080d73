package chaos

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/ingot-metal/ingot/lab/sim"
)

// writing is the line that the real agent logs when it begins to write.
var writing = regexp.MustCompile(`^time=(\S+) .*msg="writing the image" image=(\S+)`)

// written are the images that a machine's real agents began to write, by their log.
func written(machine string) ([]sim.Command, error) {
	f, err := os.Open(filepath.Join(machine, "boot.log"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var commands []sim.Command
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		found := writing.FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, found[1])
		if err != nil {
			return nil, err
		}
		commands = append(commands, sim.Command{At: at, Name: "standby.prepare_image", ID: found[2]})
	}
	return commands, lines.Err()
}
