package osimage

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

// The disk's layout in sectors. GRUB's part and the ESP are small so that the disk is; FAT16 needs at least 4085 clusters.
const (
	sectorSize  = 512
	biosStart   = 2048
	biosSectors = 2048
	espStart    = biosStart + biosSectors
	espSectors  = 16 * 2048
	rootStart   = espStart + espSectors
	gptTail     = 2048 // the backup GPT, rounded up to a MiB
)

// rootUUID is the same for the same image, as in any image that is built once and copied.
func rootUUID(key string) string {
	sum := sha256.Sum256([]byte("ingot lab image " + key))
	id, _ := uuid.FromBytes(sum[:16]) // 16 bytes are always a UUID
	return id.String()
}

// assemble makes the raw disk from the folder with the root file system.
func assemble(ctx context.Context, o Options, work, root, disk string) error {
	id := rootUUID(o.key())
	if err := os.MkdirAll(filepath.Join(root, "boot/grub"), 0o755); err != nil {
		return fmt.Errorf("cannot write grub.cfg: %w", err)
	}
	if err := os.WriteFile(filepath.Join(root, "boot/grub/grub.cfg"), []byte(grubConfig(id)), 0o644); err != nil {
		return fmt.Errorf("cannot write grub.cfg: %w", err)
	}
	f, err := os.Create(disk)
	if err != nil {
		return fmt.Errorf("cannot make the disk file: %w", err)
	}
	sectors := int64(o.SizeMiB) * 2048
	if err := f.Truncate(sectors * sectorSize); err != nil {
		f.Close()
		return fmt.Errorf("cannot size the disk file: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("cannot size the disk file: %w", err)
	}
	// The root first: mke2fs discards what it is given, from the offset on.
	rootSectors := sectors - rootStart - gptTail
	if _, err := run(ctx, "mke2fs", "-q", "-t", "ext4", "-b", "4096", "-U", id, "-L", "root", "-m", "1", "-J", "size=4",
		"-O", "^metadata_csum_seed,^orphan_file,^resize_inode", "-N", fmt.Sprint(inodes(o.SizeMiB)),
		"-E", fmt.Sprintf("offset=%d,lazy_itable_init=0", rootStart*sectorSize), "-d", root,
		disk, fmt.Sprintf("%dk", rootSectors/2)); err != nil {
		return err
	}
	if err := partition(ctx, disk, rootSectors); err != nil {
		return err
	}
	if err := installEFI(ctx, work, disk, id); err != nil {
		return err
	}
	return installBIOS(ctx, work, disk, id)
}

// inodes is enough for the system's 20,000 files and then one per 16 KiB, as mke2fs would give a larger disk.
func inodes(sizeMiB int) int { return max(32768, sizeMiB*64) }

func partition(ctx context.Context, disk string, rootSectors int64) error {
	_, err := run(ctx, "sgdisk",
		fmt.Sprintf("--new=1:%d:%d", biosStart, biosStart+biosSectors-1), "--typecode=1:EF02", "--change-name=1:bios",
		fmt.Sprintf("--new=2:%d:%d", espStart, espStart+espSectors-1), "--typecode=2:EF00", "--change-name=2:ESP",
		fmt.Sprintf("--new=3:%d:%d", rootStart, rootStart+rootSectors-1), "--typecode=3:8304", "--change-name=3:root",
		disk)
	return err
}
