package hints_test

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/hints"
)

func disks() []ingot.InventoryDisk {
	return []ingot.InventoryDisk{
		{Name: "/dev/sda", Model: "INTEL SSDSC2BB48", Vendor: "ATA", Serial: "BTWL1", Size: 480 << 30, WWN: "0x55cd2e404b6a1111", HCTL: "0:0:0:0", ByPath: "/dev/disk/by-path/pci-0000:00:1f.2-ata-1"},
		{Name: "/dev/sdb", Model: "ST4000NM0023", Vendor: "SEAGATE", Serial: "Z1Z", Size: 4000 << 30, Rotational: true, WWN: "0x5000c5005", WWNWithExtension: "0x5000c5005", HCTL: "0:0:1:0"},
		{Name: "/dev/sdc", Model: "PERC H730", Vendor: "DELL", Size: 100 << 30, Rotational: true, WWN: "0x6d09466", WWNVendorExtension: "0x1f2e", HCTL: "0:2:0:0"},
		{Name: "/dev/nvme0n1", Model: "Dell Express Flash", Serial: "S3", Size: 100 << 30},
		{Name: "/dev/sdd", Model: "small", Size: 2 << 30},
	}
}

func cases() []map[string]any {
	return []map[string]any{
		{"name": "/dev/sdb"},
		{"name": "s== /dev/sdb"},
		{"name": "s!= /dev/sda"},
		{"name": "/DEV/SDB"},
		{"model": "st4000nm0023"},
		{"model": "<in> ssd"},
		{"model": "<in> SSDSC2BB48"},
		{"model": "dell express flash"},
		{"model": "s== dell express flash"},
		{"model": "<or> nothing <or> PERC H730"},
		{"model": "<or> perc h730 <or> small"},
		{"vendor": "<or> dell <or> seagate"},
		{"vendor": "s> dell"},
		{"vendor": "s>= seagate"},
		{"vendor": "s< b"},
		{"vendor": "s<= ata"},
		{"vendor": "s!= ata"},
		{"serial": "none"},
		{"serial": "s!= BTWL1"},
		{"serial": "Z1Z"},
		{"wwn": "0x5000c5005"},
		{"wwn_with_extension": "0x5000C5005"},
		{"wwn_vendor_extension": "0x1f2e"},
		{"hctl": "0:2:0:0"},
		{"by_path": "/dev/disk/by-path/pci-0000:00:1f.2-ata-1"},
		{"by_path": "<in> ata"},
		{"size": "480"},
		{"size": 480},
		{"size": "== 100"},
		{"size": ">= 100"},
		{"size": "> 100"},
		{"size": "< 100"},
		{"size": "<= 2"},
		{"size": "!= 480"},
		{"size": "= 3000"},
		{"size": 7},
		{"rotational": true},
		{"rotational": "false"},
		{"rotational": "yes"},
		{"rotational": true, "size": ">= 1000"},
		{"rotational": false, "vendor": "dell"},
		{"model": "<in> perc", "hctl": "0:2:0:0", "size": "100"},
		{"size": ">=100", "rotational": "f", "serial": "s3"},
		{"vendor": "s==dell"},
	}
}

// pick is what this package chooses: a name, "" for none.
func pick(raw map[string]any) string {
	d, err := hints.Pick(disks(), raw)
	if err != nil {
		return ""
	}
	return d.Name
}

func TestOperators(t *testing.T) {
	for _, c := range []struct {
		raw  map[string]any
		want string
	}{
		{nil, "/dev/nvme0n1"}, // the smallest of at least 4 GiB, by name
		{map[string]any{"model": "<all-in> dell flash"}, "/dev/nvme0n1"},
		{map[string]any{"size": "<or> 4000 <or> 100"}, "/dev/sdb"},
		{map[string]any{"rotational": true, "vendor": "<or> dell <or> ata"}, "/dev/sdc"},
		{map[string]any{"serial": "<in>"}, ""},
	} {
		require.Equal(t, c.want, pick(c.raw), "%v", c.raw)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		raw  map[string]any
		want string
	}{
		"unknown":     {map[string]any{"colour": "red"}, "there is no such hint; the hints are by_path, hctl, model"},
		"no number":   {map[string]any{"size": "big"}, `"big" is not a number`},
		"text on num": {map[string]any{"size": "<in> 5"}, "does not work on numbers"},
		"num on text": {map[string]any{"model": ">= big"}, "is not a number"},
		"no boolean":  {map[string]any{"rotational": "maybe"}, "true or false"},
		"empty":       {map[string]any{"model": " "}, "empty"},
		"not text":    {map[string]any{"model": 5}, "has to be text"},
		"no match":    {map[string]any{"serial": "x"}, "no disk fits the root device hints serial=x; disks seen: /dev/sda (480.0 GiB, vendor ATA, model INTEL SSDSC2BB48, serial BTWL1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := hints.Pick(disks(), c.raw)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := hints.Pick(disks()[4:], nil)
	require.ErrorIs(t, err, hints.ErrNoDisk)
	_, err = hints.Pick(nil, nil)
	require.ErrorContains(t, err, "disks seen: none")
}

func TestSkip(t *testing.T) {
	left, err := hints.Skip(disks(), []map[string]any{{"rotational": true}, {"name": "/dev/sdd"}, {"volume_name": "md0"}, {}})
	require.NoError(t, err)
	require.Len(t, left, 2)
	_, err = hints.Skip(disks(), []map[string]any{{"sreial": "x"}})
	require.ErrorContains(t, err, "cannot use skip_block_devices", "a misspelt hint must not cost a disk")
}

// peer asks Debian's ironic-lib, the matcher that older ironic-python-agents use themselves.
const peer = `
import json, sys
from ironic_lib import utils
disks, cases = json.load(sys.stdin)
out = []
for c in cases:
    found = utils.match_root_device_hints(disks, c)
    out.append(found["name"] if found else "")
json.dump(out, sys.stdout)
`

func TestSameAsIronic(t *testing.T) {
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	if exec.Command(python, "-c", "import ironic_lib.utils").Run() != nil {
		t.Skip("python3-ironic-lib is not installed")
	}
	keys := []string{"name", "model", "vendor", "serial", "wwn", "wwn_with_extension", "wwn_vendor_extension", "hctl", "by_path"}
	var wire []map[string]any
	for _, d := range disks() {
		text, err := json.Marshal(d)
		require.NoError(t, err)
		var m map[string]any
		require.NoError(t, json.Unmarshal(text, &m))
		for _, k := range keys { // ironic-python-agent sends null, not nothing
			if _, ok := m[k]; !ok {
				m[k] = nil
			}
		}
		wire = append(wire, m)
	}
	input, err := json.Marshal([]any{wire, cases()})
	require.NoError(t, err)
	cmd := exec.Command(python, "-c", peer)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	go func() { _, _ = stdin.Write(input); _ = stdin.Close() }()
	output, err := cmd.Output()
	require.NoError(t, err)
	var want []string
	require.NoError(t, json.Unmarshal(output, &want))
	for i, c := range cases() {
		require.Equal(t, want[i], pick(c), "%v", c)
	}
}

func FuzzPick(f *testing.F) {
	f.Add("model", "<or> a <or> b")
	f.Add("size", ">= 10")
	f.Add("size", "<or><or>")
	f.Add("rotational", "true")
	f.Fuzz(func(t *testing.T, name, text string) {
		d, err := hints.Pick(disks(), map[string]any{name: text})
		if err == nil && d.Name == "" {
			t.Fatal("no disk and no error")
		}
	})
}
