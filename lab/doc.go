// Package lab is a virtual rack: QEMU machines, each with a virtual BMC, on a bridge in a network namespace of their own,
// and Ingot's service beside them in a process of its own. Newcomers meet it as `ingot lab`; the end-to-end tests are the
// other user.
//
// Everything that a rack makes on the host is a process, a namespace, or a file below its two folders, and goes with it;
// Clear removes what a killed rack left behind.
package lab
