package efiboot

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/u-root/u-root/pkg/efivarfs"
)

// Firmware opens this machine's variables.
func Firmware() (Variables, error) {
	fs, err := efivarfs.New()
	if err != nil {
		return nil, fmt.Errorf("cannot reach the UEFI variables (is efivarfs mounted?): %w", err)
	}
	return firmware{Folder: Folder(efivarfs.DefaultVarFS), fs: fs}, nil
}

// firmware is efivarfs: files as in a Folder, but written in one go, and made mutable before.
type firmware struct {
	Folder
	fs efivarfs.EFIVar
}

func descriptor(name string) efivarfs.VariableDescriptor {
	return efivarfs.VariableDescriptor{Name: name, GUID: uuid.MustParse(globalGUID)}
}

// Set writes the variable.
func (f firmware) Set(name string, content []byte) error {
	if err := f.fs.Set(descriptor(name), attributes, content); err != nil {
		return fmt.Errorf("cannot write UEFI variable %s: %w", name, err)
	}
	return nil
}

// Remove deletes the variable.
func (f firmware) Remove(name string) error {
	if err := f.fs.Remove(descriptor(name)); err != nil {
		return fmt.Errorf("cannot remove UEFI variable %s: %w", name, err)
	}
	return nil
}
