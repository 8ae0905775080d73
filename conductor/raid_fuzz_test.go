package conductor_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// supportive has every interface implementation, and no machine.
type supportive struct{ conductor.Machines }

func (supportive) Supports(*ingot.Node, string, string) bool { return true }

func (supportive) Machine(*ingot.Node) (ingot.Machine, string, error) {
	return nil, "", ingot.Errorf(ingot.Invalid, "there is none")
}

// FuzzRAID: any JSON object is taken or refused with a sentence, and never anything else.
func FuzzRAID(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"logical_disks": [{"raid_level": "1", "size_gb": 100, "is_root_volume": true}]}`, `{"logical_disks": [{"size_gb": "MAX", "raid_level": "JBOD", "physical_disks": [{}, {}], "controller": "c"}]}`,
		`{"logical_disks": null}`, `{"logical_disks": [null, 5, "x", {"raid_level": [], "size_gb": {}}]}`, `{"logical_disks": [{"number_of_physical_disks": 0, "raid_level": "0", "size_gb": 1e300}]}`, `{"": {"a": "'\"\u0000"}}`,
	} {
		f.Add(seed)
	}
	c := &conductor.Conductor{Machines: supportive{}}
	c.Prepare()
	f.Fuzz(func(t *testing.T, text string) {
		var config map[string]any
		if json.Unmarshal([]byte(text), &config) != nil || len(config) == 0 {
			return
		}
		n := ingot.Node{UUID: "n", Interfaces: ingot.Interfaces{RAID: "fake"}, TargetRAIDConfig: config}
		verdicts, err := c.Validate(t.Context(), n)
		require.NoError(t, err)
		if v := verdicts["raid"]; !*v.Result {
			require.NotEmpty(t, v.Reason)
			require.NotContains(t, v.Reason, "\n")
		}
	})
}
