package hypervisor

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bases that no disk is over go in two steps, since other processes may be about to make a disk over one. First, when it
// was idle for as long as it is kept, its mark goes: from then on nobody finds it. When it has been idle without a mark for
// longer than whoever found it before can still be at work, it goes too. What an upload that died has left behind never had
// a mark, and goes in the same way.

const (
	keptByDefault = 24 * time.Hour
	// setAside is how long a base without a mark is left alone: as long as it may be one that is being uploaded, and longer
	// than an exchange in which a disk is made.
	setAside = uploadPatience + 10*time.Minute
	// uploadPatience bounds one try of an upload.
	uploadPatience = 2 * time.Hour
)

// tidied remembers, while the process lives, since when bases are idle: one that is started anew counts from there.
type tidied struct {
	mu   sync.Mutex
	last map[string]time.Time            // by host
	idle map[string]map[string]time.Time // by place (host and pool) and base
}

// due says whether a host's pools are to be gone over, and notes that they are.
func (t *tidied) due(host string, every time.Duration, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, did := t.last[host]; did && now.Sub(last) < every {
		return false
	}
	if t.last == nil {
		t.last, t.idle = map[string]time.Time{}, map[string]map[string]time.Time{}
	}
	t.last[host] = now
	return true
}

func (t *tidied) forget(host string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.last, host)
	maps.DeleteFunc(t.idle, func(place string, _ map[string]time.Time) bool { return strings.HasPrefix(place, host+"/") })
}

// verdict is what is to be done in a pool: marks that are to come back, and volumes that are to go.
type verdict struct{ mark, drop []string }

// judge holds the volumes of a place against what disks are over.
func (t *tidied) judge(place string, volumes []string, needed func(base string) bool, keep, aside time.Duration, now time.Time) verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, idle := t.idle[place], map[string]time.Time{}
	t.idle[place] = idle
	var v verdict
	for _, name := range slices.Sorted(slices.Values(volumes)) {
		if base, isMark := strings.CutSuffix(name, baseDone); isMark && strings.HasPrefix(name, basePrefix) && !slices.Contains(volumes, base) {
			v.drop = append(v.drop, name)
			continue
		}
		if _, isBase := baseSum(name); !isBase {
			continue
		}
		marked := slices.Contains(volumes, name+baseDone)
		since, known := before[name]
		switch {
		case needed(name):
			if !marked {
				v.mark = append(v.mark, name+baseDone)
			}
		case !known:
			idle[name] = now
		case marked && now.Sub(since) >= keep:
			v.drop = append(v.drop, name+baseDone)
			idle[name] = now
		case !marked && now.Sub(since) >= aside:
			v.drop = append(v.drop, name)
		default:
			idle[name] = since
		}
	}
	return v
}
