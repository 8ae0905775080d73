package disk_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/disk"
)

// BenchmarkWrite compares with what a shell would do: curl into dd; qemu-img convert of a file that is there already and
// that nobody checks; and what an agent without a streaming reader does, which is to download, check, then convert. All
// end with the data on stable storage. "read back" is what Ingot does by default; the others have no such step. Bytes
// per second count the image's data, not its holes.
func BenchmarkWrite(b *testing.B) {
	const size, data = 1 << 30, 256 * mib
	raw := filepath.Join(b.TempDir(), "image.raw")
	f, err := os.Create(raw)
	require.NoError(b, err)
	require.NoError(b, f.Truncate(size))
	for i := range int64(data / mib) {
		half := append(noise(mib/2, uint64(i)), make([]byte, mib/2)...)
		for j := mib / 2; j < mib; j++ {
			half[j] = "abcdefgh"[half[j-mib/2]%8]
		}
		_, err := f.WriteAt(half, i*4*mib)
		require.NoError(b, err)
	}
	require.NoError(b, f.Close())
	forms := []struct {
		name, format, path string
	}{
		{"raw", "raw", raw},
		{"qcow2", "qcow2", convert(b, raw)},
		{"qcow2 zlib", "qcow2", convert(b, raw, "-c")},
		{"qcow2 zstd", "qcow2", convert(b, raw, "-c", "-o", "compression_type=zstd")},
	}
	for i := range forms {
		to := filepath.Join(filepath.Dir(raw), itoa(i))
		require.NoError(b, os.Rename(forms[i].path, to))
		forms[i].path = to
	}
	base := serveElsewhere(b, filepath.Dir(raw))
	target := sparse(b, size)
	for _, form := range forms {
		url := base + filepath.Base(form.path)
		src := source(b, url, form.path, form.format)
		for name, w := range map[string]*disk.Writer{"ingot": {SkipReadBack: true}, "ingot, read back": {}} {
			b.Run(form.name+"/"+name, func(b *testing.B) {
				b.SetBytes(data)
				defer reportCPU(b)()
				for b.Loop() {
					_, err := w.Write(b.Context(), src, open(b, target))
					require.NoError(b, err)
				}
			})
		}
		write := "qemu-img convert -n -W -f qcow2 -O raw " + form.path + " " + target + " && sync " + target
		fetch := "curl -sf " + url + " -o " + target + ".down && sha256sum " + target + ".down >/dev/null && "
		shells := map[string]string{"qemu-img": write, "curl, sha256sum, qemu-img": fetch + write}
		if form.format == "raw" {
			shells = map[string]string{
				"curl to dd": "curl -sf " + url + " | dd of=" + target + " bs=1M iflag=fullblock conv=notrunc,fsync status=none",
			}
		}
		for name, command := range shells {
			b.Run(form.name+"/"+name, func(b *testing.B) {
				b.SetBytes(data)
				defer reportCPU(b)()
				for b.Loop() {
					run(b, "sh", "-c", command)
				}
			})
		}
	}
}

// reportCPU adds the processor time of one operation, in this process and in those it ran, which tells more than the
// clock where the machine is shared. The image server is in neither.
func reportCPU(b *testing.B) func() {
	spent := func() (total float64) {
		for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
			var u syscall.Rusage
			require.NoError(b, syscall.Getrusage(who, &u))
			total += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
		}
		return total
	}
	before := spent()
	return func() { b.ReportMetric((spent()-before)/float64(b.N), "cpu-s/op") }
}

// serveElsewhere serves a folder from another process, which ends when this one does.
func serveElsewhere(b *testing.B, dir string) string {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServeFolder$")
	cmd.Env = append(os.Environ(), "SERVE_FOLDER="+dir)
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(b, err)
	return strings.TrimSpace(line) + "/"
}

// TestServeFolder is the other process of the benchmark, not a test.
func TestServeFolder(t *testing.T) {
	dir := os.Getenv("SERVE_FOLDER")
	if dir == "" {
		t.Skip("only the benchmark runs this")
	}
	ts := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer ts.Close()
	fmt.Println(ts.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
}
