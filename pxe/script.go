package pxe

import (
	"fmt"
	"strings"

	"github.com/ingot-metal/ingot"
)

// script is the iPXE script for a spec. again is the URL of the script itself, base that of the boot listener.
func script(spec ingot.BootSpec, base, again string) (string, error) {
	switch spec.Action {
	case ingot.BootKernel:
		return kernelScript(spec, base, again)
	case ingot.BootLocalDisk:
		return diskScript(spec), nil
	}
	return silentScript, nil
}

// silentScript leaves iPXE with an error, so that firmware goes on to its next boot device: observed, OVMF shows its
// menu and stays there when a network boot ends with success.
const silentScript = "#!ipxe\necho Ingot: nothing to boot for this machine\nexit 1\n"

// diskScript goes on to the disk.
func diskScript(spec ingot.BootSpec) string {
	return "#!ipxe\necho Ingot: " + plain(spec.Why) + ", starting from disk\nexit 1\n"
}

// kernelScript loads kernel and initramfs. The name "initrd" and the argument initrd= are for the kernel's EFI stub,
// which opens the file by that name from iPXE; the BIOS protocol hands it over without. What fails is tried again with a new
// script, since the plan may have moved on while a boot service was restarting; iPXE itself would give up.
func kernelScript(spec ingot.BootSpec, base, again string) (string, error) {
	cmdline := strings.ReplaceAll(spec.Cmdline, "{boot}", base)
	if err := checkArguments(cmdline); err != nil {
		return "", fmt.Errorf("cannot pass on the kernel arguments of node %s: %w", spec.Node, err)
	}
	kernel, err := locate(base, spec.Kernel)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#!ipxe\necho Ingot: %s\n", plain(spec.Why))
	arguments := strings.Fields(cmdline)
	if spec.Initrd != "" {
		initrd, err := locate(base, spec.Initrd)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "initrd --name initrd %s || goto failed\n", initrd)
		arguments = append([]string{"initrd=initrd"}, arguments...)
	}
	fmt.Fprintf(&b, "kernel %s || goto failed\n", strings.Join(append([]string{kernel}, arguments...), " "))
	b.WriteString("boot || goto failed\n")
	fmt.Fprintf(&b, ":failed\necho Ingot: that failed, asking again in 3 seconds\nimgfree\nsleep 3\nchain --replace --autofree %s || goto failed\n", again)
	return b.String(), nil
}

// locate makes a URL of a path on the boot listener, and refuses what would end a word of the script.
func locate(base, where string) (string, error) {
	if strings.HasPrefix(where, "/") {
		where = base + where
	}
	if where == "" || strings.ContainsFunc(where, func(r rune) bool { return r <= ' ' || r == 0x7f }) || strings.Contains(where, "${") {
		return "", fmt.Errorf("cannot boot from %q: a URL without spaces or ${ is needed", where)
	}
	return where, nil
}

// checkArguments refuses what iPXE would not pass on as it stands. Its parser splits at white space only, knows no
// quotes, ends a command at the words ||, && and ; and at a word that begins with #, and expands ${…} (iPXE
// src/core/exec.c).
func checkArguments(cmdline string) error {
	if strings.ContainsFunc(cmdline, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("%q has a control character", cmdline)
	}
	if strings.Contains(cmdline, "${") {
		return fmt.Errorf("%q has ${, which iPXE would replace", cmdline)
	}
	for _, word := range strings.Fields(cmdline) {
		if word == "||" || word == "&&" || word == ";" || word[0] == '#' {
			return fmt.Errorf("%q has the word %q, at which iPXE would stop", cmdline, word)
		}
	}
	return nil
}

// plain is text for an echo line: words that a script could take for more become spaces.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune("#$|&;{}", r) {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
