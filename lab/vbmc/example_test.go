package vbmc_test

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

// A BMC on free ports, for as long as ctx lives.
func ExampleServer() {
	ctx, cancel := context.WithCancel(context.Background())
	log := &vbmc.Log{}
	server := &vbmc.Server{
		Machine: &machine{}, IPMIListen: "127.0.0.1:0", RedfishListen: "127.0.0.1:0",
		Username: "admin", Password: "secret", Journal: log,
	}
	if err := server.Listen(); err != nil {
		fmt.Println(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Run(ctx) }()

	// Clients talk to server.IPMIAddr() and server.RedfishURL() now, and
	// tests read what happened to the machine:
	fmt.Println("starts:", len(log.Find(vbmc.ProtocolMachine, vbmc.VerbStart)))
	cancel()
	fmt.Println("ended:", <-ended)
	// Output:
	// starts: 0
	// ended: <nil>
}
