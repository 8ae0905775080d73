package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

func benchEach(b *testing.B, run func(b *testing.B, s *store.Store)) {
	b.Run("sqlite", func(b *testing.B) { run(b, storetest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { run(b, storetest.Postgres(b)) })
}

// benchNodes creates nodes as an operator does who uses IPMI.
func benchNodes(b *testing.B, s *store.Store, n int) []ingot.Node {
	nodes := make([]ingot.Node, n)
	for i := range nodes {
		nodes[i] = ingot.Node{
			Name: fmt.Sprintf("node-%d", i), Driver: "ipmi", ProvisionState: ingot.Available, ResourceClass: "baremetal",
			DriverInfo: map[string]any{"ipmi_address": "192.0.2.1", "ipmi_username": "admin", "ipmi_password": "a password"},
			Properties: map[string]any{"cpus": 64.0, "memory_mb": 262144.0, "cpu_arch": "x86_64", "capabilities": "boot_mode:uefi"},
		}
		require.NoError(b, s.CreateNode(context.Background(), &nodes[i], nil))
	}
	return nodes
}

// BenchmarkOperation is an operation's whole bookkeeping: accept it, claim it, commit one pass that ends it.
func BenchmarkOperation(b *testing.B) {
	benchEach(b, func(b *testing.B, s *store.Store) {
		for _, parallel := range []int{1, 16} {
			b.Run(fmt.Sprintf("parallel-%d", parallel), func(b *testing.B) {
				ctx := context.Background()
				nodes := make(chan ingot.Node, parallel*2)
				for i := range parallel * 2 {
					n := ingot.Node{Name: fmt.Sprintf("bench-%d-%d-%d", parallel, b.N, i), Driver: "fake-hardware"}
					require.NoError(b, s.CreateNode(ctx, &n, nil))
					nodes <- n
				}
				b.SetParallelism(max(parallel/2, 1))
				if parallel == 1 {
					b.ResetTimer()
					for range b.N {
						n := <-nodes
						benchOne(b, s, n)
						nodes <- n
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							n := <-nodes
							benchOne(b, s, n)
							nodes <- n
						}
					})
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "operations/s")
			})
		}
	})
}

func benchOne(b *testing.B, s *store.Store, n ingot.Node) {
	ctx := context.Background()
	_, err := s.StartOperation(ctx, ingot.Start{
		Operation: ingot.Operation{Kind: ingot.KindVerify, NodeUUID: n.UUID},
		Change:    func(n *ingot.Node) { n.ProvisionState = ingot.Verifying }, Events: []ingot.Event{{Type: "node.state"}},
	})
	if ingot.CodeOf(err) == ingot.Locked { // another goroutine's pass has it still
		return
	}
	if err != nil {
		b.Error(err)
		return
	}
	passes, err := s.ClaimOperations(ctx, ingot.Claimer{Hostname: "bench"}, 1)
	if err != nil {
		b.Error(err)
	}
	for _, p := range passes {
		p.Operation.Outcome = ingot.Done
		if err := s.CommitPass(ctx, ingot.Result{
			Operation: p.Operation, Changes: []func(*ingot.Node){func(n *ingot.Node) { n.ProvisionState = ingot.Manageable }},
			History: []ingot.History{{Event: "verified"}}, Events: []ingot.Event{{Type: "node.state"}},
		}); err != nil {
			b.Error(err)
		}
	}
}

func BenchmarkNode(b *testing.B) {
	benchEach(b, func(b *testing.B, s *store.Store) {
		nodes := benchNodes(b, s, 100)
		b.ResetTimer()
		for i := range b.N {
			if _, err := s.Node(context.Background(), nodes[i%len(nodes)].UUID); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkListNodes1000(b *testing.B) {
	benchEach(b, func(b *testing.B, s *store.Store) {
		benchNodes(b, s, 1000)
		b.ResetTimer()
		for range b.N {
			nodes, err := s.ListNodes(context.Background(), ingot.NodeQuery{})
			if err != nil || len(nodes) != 1000 {
				b.Fatal(len(nodes), err)
			}
		}
	})
}

func BenchmarkChangeNode(b *testing.B) {
	benchEach(b, func(b *testing.B, s *store.Store) {
		nodes := benchNodes(b, s, 1)
		b.ResetTimer()
		for i := range b.N {
			if _, err := s.ChangeNode(context.Background(), ingot.NodeChange{UUID: nodes[0].UUID, Change: func(n *ingot.Node) error {
				n.LastError = fmt.Sprint(i)
				return nil
			}}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
