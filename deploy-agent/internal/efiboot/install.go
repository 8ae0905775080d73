package efiboot

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/fat"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
	"github.com/ingot-metal/ingot/images/disk"
)

// The types of an EFI system partition.
const (
	espGPT = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
	espMBR = "0xef"
)

// Installer makes boot entries: ironic-python-agent's image extension, for whole-disk images.
type Installer struct {
	Chooser *target.Chooser
	Log     *slog.Logger
	Arch    string        // as in the inventory: x86_64, aarch64
	Mode    func() string // uefi or bios: how the machine was started
	// Variables opens the firmware's variables.
	Variables func() (Variables, error)
}

// Commands is image.install_bootloader.
func (i *Installer) Commands() []command.Command {
	return []command.Command{{
		Name: "image.install_bootloader", Async: true,
		Takes: []string{"root_uuid", "efi_system_part_uuid", "prep_boot_part_uuid", "target_boot_mode", "ignore_bootloader_failure"},
		Run:   i.command,
	}}
}

func (i *Installer) command(ctx context.Context, call *command.Call) (any, error) {
	var esp, prep, mode string
	var ignore bool
	err := errors.Join(call.Decode("efi_system_part_uuid", &esp), call.Decode("prep_boot_part_uuid", &prep),
		call.Decode("target_boot_mode", &mode), call.Decode("ignore_bootloader_failure", &ignore))
	if err != nil {
		return nil, err
	}
	if prep != "" {
		return nil, command.InvalidParams("prep_boot_part_uuid: this agent does not install boot loaders for POWER machines")
	}
	if is := i.Mode(); is != "uefi" {
		if mode == "uefi" {
			i.Log.Warn("the machine is to boot by UEFI, but this ramdisk was started by BIOS: no boot entry can be made")
		}
		return nil, nil // a BIOS starts the image's own boot sector
	}
	said, err := i.Install(ctx, esp)
	if err != nil && ignore {
		i.Log.Error("no boot entry was made, which Ironic wants ignored", "error", err)
		return "no boot entry was made: " + err.Error(), nil
	}
	return said, err
}

// Install makes the entry for the disk that was installed on and puts it first. esp is the system partition's GUID where
// the partition's type does not tell it. It gives a sentence for people.
func (i *Installer) Install(ctx context.Context, esp string) (string, error) {
	chosen, err := i.Chooser.Root(ctx)
	if err != nil {
		return "", err
	}
	device, err := disk.Open(chosen.Name)
	if err != nil {
		return "", command.Failed("%s", err)
	}
	defer device.Close()
	part, drive, err := systemPartition(device, esp)
	if err != nil {
		return "", command.DeviceNotFound("No EFI partition could be detected on device %s: %s. Are you using a UEFI-compatible image?", chosen.Name, err)
	}
	volume, err := fat.Open(io.NewSectionReader(device, part.Start, part.Size))
	if err != nil {
		return "", command.Failed("cannot read the EFI system partition, number %d of %s: %s", part.Number, chosen.Name, err)
	}
	l, err := findLoader(volume, i.Arch)
	if err != nil {
		return "", command.Failed("cannot make a boot entry: the EFI system partition, number %d of %s: %s for %s", part.Number, chosen.Name, err, i.Arch)
	}
	vars, err := i.Variables()
	if err != nil {
		return i.withoutVariables(l, err)
	}
	menu, err := readMenu(vars)
	if err != nil {
		return "", command.Failed("%s", err)
	}
	option := Option{Attributes: Active, Description: l.label, Path: []Node{drive.node(), file(strings.ReplaceAll(l.path, "/", `\`))}}
	if l.arguments != "" {
		option.Data = text(l.arguments)
	}
	number, err := menu.putFirst(option)
	if err != nil {
		return "", command.Failed("cannot make a boot entry: %s", err)
	}
	said := fmt.Sprintf("%s (%s) starts %s from partition %d of %s", entryName(number), l.label, l.path, part.Number, chosen.Name)
	i.Log.Info("boot entry", "entry", said)
	return said, nil
}

// withoutVariables is no failure where the firmware finds the loader by itself, at the fallback path.
func (i *Installer) withoutVariables(l loader, cause error) (string, error) {
	if strings.EqualFold(l.path, "/EFI/BOOT/BOOT"+suffix(i.Arch)+".EFI") {
		i.Log.Warn("UEFI variables cannot be reached; the firmware has to find the loader at the fallback path", "error", cause)
		return "no boot entry: the firmware finds " + l.path + " by itself", nil
	}
	return "", command.Failed("cannot make a boot entry for %s: %s", l.path, cause)
}

// systemPartition finds the EFI system partition.
func systemPartition(device *disk.Device, esp string) (disk.Partition, HardDrive, error) {
	table, err := disk.ReadTable(device)
	if err != nil {
		return disk.Partition{}, HardDrive{}, err
	}
	for _, p := range table.Partitions {
		if p.Type != espGPT && p.Type != espMBR && (esp == "" || !strings.EqualFold(p.GUID, esp)) {
			continue
		}
		h := HardDrive{
			Number: uint32(p.Number), Start: uint64(p.Start / table.Sector), Size: uint64(p.Size / table.Sector), GPT: table.Kind == "gpt",
		}
		if h.GPT {
			h.Signature, err = guid(p.GUID)
		} else {
			_, err = device.ReadAt(h.Signature[:4], 440)
		}
		return p, h, err
	}
	return disk.Partition{}, HardDrive{}, fmt.Errorf("none of its %d partitions is one", len(table.Partitions))
}

// guid gives a GUID's bytes as EFI stores them, the first three fields little endian.
func guid(text string) ([16]byte, error) {
	var out [16]byte
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 16 {
		return out, fmt.Errorf("%q is not a GUID", text)
	}
	for i, from := range [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15} {
		out[i] = b[from]
	}
	return out, nil
}
