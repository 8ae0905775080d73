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
func written(machine string, now time.Time) ([]sim.Command, error) {
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
		at, err := time.Parse(time.TimeOnly, found[1])
		if err != nil {
			return nil, err
		}
		at = latest(now, at)
		commands = append(commands, sim.Command{At: at, Name: "standby.prepare_image", ID: found[2]})
	}
	return commands, lines.Err()
}

// latest is the last moment before now at that time of the day, which is all that the agent logs.
func latest(now, clock time.Time) time.Time {
	now = now.UTC()
	at := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), clock.Second(), clock.Nanosecond(), time.UTC)
	if at.After(now) {
		return at.AddDate(0, 0, -1)
	}
	return at
}
