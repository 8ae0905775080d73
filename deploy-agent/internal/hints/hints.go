package hints

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	ingot "github.com/ingot-metal/ingot"
)

// minRoot is the size that a disk needs to be chosen without hints, in bytes (guess_root_disk in Ironic's agent).
const minRoot = 4 << 30

// ErrNoDisk is in the error of Pick when no disk fits.
var ErrNoDisk = errors.New("no disk fits")

// attribute gives a disk's value for a text hint; "" is a value that the disk does not have.
type attribute func(d ingot.InventoryDisk) string

// attributes are the text hints; size (GiB) and rotational stand apart.
func attributes() map[string]attribute {
	return map[string]attribute{
		"name":                 func(d ingot.InventoryDisk) string { return d.Name },
		"model":                func(d ingot.InventoryDisk) string { return d.Model },
		"vendor":               func(d ingot.InventoryDisk) string { return d.Vendor },
		"serial":               func(d ingot.InventoryDisk) string { return d.Serial },
		"wwn":                  func(d ingot.InventoryDisk) string { return d.WWN },
		"wwn_with_extension":   func(d ingot.InventoryDisk) string { return d.WWNWithExtension },
		"wwn_vendor_extension": func(d ingot.InventoryDisk) string { return d.WWNVendorExtension },
		"hctl":                 func(d ingot.InventoryDisk) string { return d.HCTL },
		"by_path":              func(d ingot.InventoryDisk) string { return d.ByPath },
	}
}

// Set is a parsed set of hints; a disk matches when it fits all of them.
type Set struct {
	text       map[string]expression
	size       *expression
	rotational *bool
}

// Parse reads hints as they stand in a node's properties or instance_info: text, numbers and booleans.
func Parse(raw map[string]any) (Set, error) {
	s := Set{text: map[string]expression{}}
	known := attributes()
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		if err := s.add(name, raw[name], known); err != nil {
			return Set{}, fmt.Errorf("cannot use root device hint %s=%v: %w", name, raw[name], err)
		}
	}
	return s, nil
}

func (s *Set) add(name string, value any, known map[string]attribute) error {
	if name == "rotational" {
		is, err := boolean(value)
		s.rotational = &is
		return err
	}
	if _, ok := known[name]; !ok && name != "size" {
		names := append(slices.Collect(maps.Keys(known)), "size", "rotational")
		sort.Strings(names)
		return fmt.Errorf("there is no such hint; the hints are %s", strings.Join(names, ", "))
	}
	text, isText := value.(string)
	if !isText && name != "size" {
		return errors.New("it has to be text")
	}
	if !isText {
		text = fmt.Sprint(value)
	}
	e, err := parse(text)
	if err != nil {
		return err
	}
	if name == "size" {
		s.size = &e
		_, err = e.matchNumber(0)
		return err
	}
	s.text[name] = e
	if _, ok := e.textOnly(); !ok {
		_, err = e.matchNumber(0)
	}
	return err
}

// boolean is oslo.utils' strict bool_from_string.
func boolean(value any) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(fmt.Sprint(value))) {
	case "1", "t", "true", "on", "y", "yes":
		return true, nil
	case "0", "f", "false", "off", "n", "no":
		return false, nil
	}
	return false, errors.New("it has to be true or false")
}

// Match says whether d fits every hint.
func (s Set) Match(d ingot.InventoryDisk) bool {
	if s.rotational != nil && *s.rotational != d.Rotational {
		return false
	}
	if s.size != nil {
		if ok, err := s.size.matchNumber(float64(d.Size) / (1 << 30)); err != nil || !ok {
			return false
		}
	}
	known := attributes()
	for name, e := range s.text {
		have := strings.ToLower(strings.TrimSpace(known[name](d)))
		if have == "" {
			have = "none" // what Ironic compares with when a disk has no such value
		}
		if ok, err := e.matchText(have); err != nil || !ok {
			return false
		}
	}
	return true
}

// Pick chooses the disk to install on: the first that fits the hints, or without hints the smallest of at least 4 GiB,
// the first by name among equals. The error is ErrNoDisk and lists the disks seen, or says which hint is wrong.
func Pick(disks []ingot.InventoryDisk, raw map[string]any) (ingot.InventoryDisk, error) {
	if len(raw) == 0 {
		return smallest(disks)
	}
	set, err := Parse(raw)
	if err != nil {
		return ingot.InventoryDisk{}, err
	}
	for _, d := range disks {
		if set.Match(d) {
			return d, nil
		}
	}
	return ingot.InventoryDisk{}, fmt.Errorf("%w the root device hints %s; disks seen: %s", ErrNoDisk, show(raw), List(disks))
}

func smallest(disks []ingot.InventoryDisk) (ingot.InventoryDisk, error) {
	sorted := slices.Clone(disks)
	sort.SliceStable(sorted, func(i, j int) bool {
		if sorted[i].Size != sorted[j].Size {
			return sorted[i].Size < sorted[j].Size
		}
		return sorted[i].Name < sorted[j].Name
	})
	for _, d := range sorted {
		if d.Size >= minRoot {
			return d, nil
		}
	}
	return ingot.InventoryDisk{}, fmt.Errorf("%w: root device hints were not given, and no disk has 4 GiB or more; disks seen: %s",
		ErrNoDisk, List(disks))
}

// Skip gives disks without those that fit one of the sets of hints (properties/skip_block_devices). A set with
// volume_name means software RAID and is passed over. A set that cannot be parsed is an error: a disk must not be
// erased because a hint was misspelt.
func Skip(disks []ingot.InventoryDisk, sets []map[string]any) ([]ingot.InventoryDisk, error) {
	out := slices.Clone(disks)
	for _, raw := range sets {
		if _, raid := raw["volume_name"]; raid {
			continue
		}
		set, err := Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("cannot use skip_block_devices: %w", err)
		}
		if len(raw) == 0 {
			continue
		}
		out = slices.DeleteFunc(out, set.Match)
	}
	return out, nil
}

// List describes disks for people.
func List(disks []ingot.InventoryDisk) string {
	if len(disks) == 0 {
		return "none"
	}
	var parts []string
	for _, d := range disks {
		part := fmt.Sprintf("%s (%.1f GiB", d.Name, float64(d.Size)/(1<<30))
		for _, item := range [...][2]string{{"vendor", d.Vendor}, {"model", d.Model}, {"serial", d.Serial}, {"wwn", d.WWN}, {"hctl", d.HCTL}, {"by_path", d.ByPath}} {
			if item[1] != "" {
				part += ", " + item[0] + " " + item[1]
			}
		}
		if d.Rotational {
			part += ", rotational"
		}
		parts = append(parts, part+")")
	}
	return strings.Join(parts, "; ")
}

// show is the hints in a fixed order.
func show(raw map[string]any) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		parts = append(parts, fmt.Sprintf("%s=%v", name, raw[name]))
	}
	return strings.Join(parts, ", ")
}
