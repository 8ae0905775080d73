// Package ingot holds the words that every part of Ingot uses: nodes, ports, states and verbs, operations and their
// steps, power, boot, agents, images and events. It imports the standard library only; folders beside it import it and
// never one another, so that two parts always meet in a type of this package.
package ingot
