package ramdisk

import (
	"slices"
	"strings"

	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
)

// names returns the wanted modules. Dependencies need not be named; what a kernel has built in does no harm.
func (s Set) names() []string {
	out := strings.Fields(virtualModules)
	if s == SetServer {
		out = append(out, strings.Fields(serverModules)...)
	}
	return out
}

// virtualModules serve QEMU's machines and what every machine needs: disks, file systems of config drives and ESPs.
const virtualModules = `
	virtio_pci virtio_mmio virtio_blk virtio_scsi virtio_net virtio_console virtio_rng
	e1000 e1000e ahci ata_piix nvme sd_mod sr_mod sg loop
	vfat nls_cp437 nls_ascii nls_iso8859_1 nls_utf8 isofs ext4 crc32c_generic efivarfs
	xhci_pci ehci_pci uhci_hcd usb_storage uas
	ipmi_si ipmi_devintf ipmi_ssif i2c_i801 i6300esb qemu_fw_cfg button`

// serverModules are, line by line: SAS and RAID adapters, FC adapters, SATA, other disks; network adapters by vendor, those
// of virtual machines, the BMC's network over USB; VLANs and bonds; multipath and software RAID; file systems; USB, keyboards and
// TPMs; watchdogs and hardware facts.
const serverModules = `
	megaraid_sas mpt3sas mpi3mr hpsa smartpqi aacraid arcmsr isci pm80xx mvsas 3w_sas 3w_9xxx esas2r mptsas mptspi
	lpfc qla2xxx bfa fnic snic be2iscsi bnx2fc qedf
	sata_mv sata_nv sata_sil24 sata_sil sata_via sata_svw sata_promise ata_generic ses
	vmw_pvscsi hv_storvsc xen_blkfront sdhci_pci sdhci_acpi mmc_block
	igb igbvf igc ixgbe ixgbevf i40e iavf ice
	tg3 bnx2 bnx2x bnxt_en
	mlx4_en mlx5_core
	qede qlcnic netxen_nic
	be2net cxgb3 cxgb4 enic sfc nfp hinic atlantic r8169 alx atl1c sky2 myri10ge
	vmxnet3 ena xen_netfront hv_netvsc gve
	cdc_ether cdc_ncm rndis_host ax88179_178a r8152
	8021q bonding
	dm_mod dm_multipath dm_round_robin dm_queue_length dm_service_time scsi_dh_alua scsi_dh_rdac scsi_dh_emc scsi_dh_hp_sw
	md_mod raid0 raid1 raid10 raid456 dm_raid dm_mirror dm_snapshot dm_thin_pool dm_crypt
	xfs btrfs udf squashfs overlay fuse
	ohci_pci usbhid hid_generic tpm_tis tpm_crb
	ipmi_watchdog ipmi_poweroff iTCO_wdt hpwdt sp5100_tco acpi_power_meter msr cpuid dmi_sysfs nvme_fabrics nvme_tcp iscsi_tcp`

// choose resolves names to modules with all that they need, sorted by name.
func choose(x *modules.Index, names []string) (chosen []*modules.Module, missing []string) {
	var wanted []*modules.Module
	for _, name := range names {
		found := x.Lookup(name)
		if len(found) == 0 && !x.Builtin(name) {
			missing = append(missing, name)
		}
		wanted = append(wanted, found...)
	}
	chosen = x.Closure(wanted)
	slices.SortFunc(chosen, func(a, b *modules.Module) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(missing)
	return chosen, slices.Compact(missing)
}
