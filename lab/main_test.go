package lab_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/ingot-metal/ingot/lab"
	"github.com/ingot-metal/ingot/serve"
)

// TestMain lets the test's own program be the service beside a rack, and a rack that can be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "serve":
			os.Exit(exitCode(runService(os.Args[3])))
		case "rack":
			os.Exit(exitCode(runRack(os.Args[2], os.Args[3])))
		}
	}
	os.Exit(m.Run())
}

func exitCode(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// runService is `ingot serve --config FILE --verbose`.
func runService(config string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg, err := serve.Load(config)
	if err != nil {
		return err
	}
	app, err := serve.New(ctx, cfg, slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		return err
	}
	return app.Run(ctx)
}

// runRack is a rack of one machine, without the service.
func runRack(name, dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	r := &lab.Rack{Name: name, Dir: dir, Temporary: true, Nodes: []lab.NodeSpec{{Firmware: "bios", DiskMiB: 8, MemoryMiB: 128}}}
	if err := r.Open(ctx); err != nil {
		return err
	}
	return r.Run(ctx)
}
