package store_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

func TestFlavors(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		f := ingot.Flavor{
			ResourceClass: "compute.small", Resources: ingot.Amounts{ingot.VCPU: 2, ingot.MemoryMB: 4096, ingot.DiskGB: 20},
			Arch: "x86_64", BootMode: ingot.ModeUEFI, RequiredTraits: []string{"CUSTOM_A"}, ProvidedTraits: []string{"CUSTOM_B"},
			InheritTraits: []string{"CUSTOM_C"}, FallbackFor: []string{"baremetal.small"},
		}
		require.NoError(t, s.Flavors().Create(ctx, &f))
		for _, ident := range []string{f.UUID, "compute.small"} {
			got, err := s.Flavors().Get(ctx, ident)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(f, got))
		}
		refused(t, s.Flavors().Create(ctx, &ingot.Flavor{ResourceClass: "compute.small"}), ingot.Conflict,
			"A flavor of resource class compute.small already exists. It is flavor %s.", f.UUID)
	})
}
