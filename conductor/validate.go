package conductor

import (
	"context"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Validate says, for each of the node's interfaces, whether what it needs is there (Ironic: GET validate). It asks no
// BMC.
func (c *Conductor) Validate(_ context.Context, node ingot.Node) (map[string]ingot.Verdict, error) {
	verdicts := map[string]ingot.Verdict{}
	for _, kind := range ingot.InterfaceKinds() {
		if kind != "vendor" { // Ironic validates a vendor method when it is called
			verdicts[kind] = c.validateInterface(&node, kind)
		}
	}
	return verdicts, nil
}

func (c *Conductor) validateInterface(n *ingot.Node, kind string) ingot.Verdict {
	name := *n.Interfaces.Field(kind)
	if name == "" || strings.HasPrefix(name, "no-") {
		return ingot.FailVerdict(unsupported(n, kind).Error())
	}
	if !c.Machines.Supports(n, kind, name) {
		return ingot.FailVerdict("interface implementation " + name + " is not enabled for driver " + n.Driver)
	}
	switch kind {
	case "raid":
		if len(n.TargetRAIDConfig) > 0 {
			if err := validRAID(n.TargetRAIDConfig); err != nil {
				return ingot.FailVerdict(err.Error())
			}
		}
	case "power", "management", "console", "bios", "firmware":
		if _, _, err := c.Machines.Machine(n); err != nil {
			return ingot.FailVerdict(err.Error())
		}
	case "deploy":
		return validateDeploy(n)
	case "boot":
		return c.validateBoot(n)
	case "rescue":
		return c.validateRescue(n)
	}
	return ingot.PassVerdict()
}

// validateDeploy looks at the traits and the image that the node asks for.
func validateDeploy(n *ingot.Node) ingot.Verdict {
	if reason := refuseTraits(n); reason != "" {
		return ingot.FailVerdict(reason)
	}
	if n.Interfaces.Deploy == noopDeploy || n.Interfaces.Deploy == "fake" {
		return ingot.PassVerdict()
	}
	if fromISO(n) {
		return validISO(n)
	}
	source := imageSource(n)
	scheme, _, _ := strings.Cut(source.URL, "://")
	switch {
	case source.URL == "":
		return ingot.FailVerdict("missing in instance_info: image_source (the image's file://, http:// or https:// URL)")
	case scheme != "file" && scheme != "http" && scheme != "https":
		return ingot.FailVerdict("image_source " + source.URL + " is not a file://, http:// or https:// URL")
	case source.Checksum == "":
		return ingot.FailVerdict("missing in instance_info: image_os_hash_value (or image_checksum): the image's SHA-256 or SHA-512, or the URL of a checksum file")
	case n.InstanceInfo["kernel"] != nil || n.InstanceInfo["ramdisk"] != nil || n.InstanceInfo["root_gb"] != nil:
		return ingot.FailVerdict("partition images (instance_info kernel, ramdisk, root_gb) are not supported: use a whole-disk image")
	}
	return ingot.PassVerdict()
}

// refuseTraits says what is wrong with the traits that the deployment asks for: each has to be the node's too.
func refuseTraits(n *ingot.Node) string {
	wanted, ok := n.InstanceTraits()
	if !ok {
		return "Error parsing traits from Node " + n.UUID + " instance_info field. A list of strings is expected."
	}
	if missing := ingot.Missing(wanted, n.Traits); len(missing) > 0 {
		return "Cannot specify instance traits that are not also set on the node. Node " + n.UUID + " is missing traits " + strings.Join(missing, ", ")
	}
	return ""
}

// validateBoot looks for the ramdisk that the node would boot.
func (c *Conductor) validateBoot(n *ingot.Node) ingot.Verdict {
	if n.Interfaces.Boot == "fake" {
		return ingot.PassVerdict()
	}
	kernel, ramdisk := ingot.Text(n.DriverInfo, "deploy_kernel"), ingot.Text(n.DriverInfo, "deploy_ramdisk")
	switch {
	case (kernel == "") != (ramdisk == ""):
		return ingot.FailVerdict("driver_info has only one of deploy_kernel and deploy_ramdisk: give both, or neither for the built-in ramdisk")
	case kernel == "" && c.Ramdisk == nil:
		return ingot.FailVerdict("no ramdisk: build one with `ingot ramdisk build`, or set driver_info deploy_kernel and deploy_ramdisk")
	}
	return ingot.PassVerdict()
}
