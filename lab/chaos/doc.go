// Package chaos runs several conductors as real processes over pretend machines, ends and stops them at random for a
// while, and then asks the machines, their BMCs and agents, and those who sent requests whether anything was lost, done
// twice or told untruly. Ingot's own tables are not asked.
package chaos
