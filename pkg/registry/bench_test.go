package registry

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const many = 10_000

// folderOfMany has 10,000 connectors that were registered an hour ago.
func folderOfMany(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "connectors")
	if err := os.Mkdir(path, 0o700); err != nil {
		b.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	for i := range many {
		c := full(fmt.Sprintf("connector-%05d", i))
		c.ID = idOfName(c.Name)
		c.Secrets.Key = c.ID + "/abc123"
		data, err := encode(c, heading)
		if err != nil {
			b.Fatal(err)
		}
		file := filepath.Join(path, c.Name+extension)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			b.Fatal(err)
		}
		if err := os.Chtimes(file, old, old); err != nil {
			b.Fatal(err)
		}
	}
	return path
}

func snapshotOfMany(b *testing.B, d *Dir) *Snapshot {
	b.Helper()
	s, err := d.Snapshot(b.Context())
	if err != nil || len(s.good) != many {
		b.Fatal(err, len(s.good))
	}
	return s
}

func BenchmarkSnapshot(b *testing.B) {
	path := folderOfMany(b)
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			snapshotOfMany(b, Open(path, time.Now))
		}
	})
	for mode, prepare := range modes {
		d := Open(path, time.Now)
		b.Cleanup(d.Close)
		prepare(d)
		snapshotOfMany(b, d)
		b.Run("warm/"+mode, func(b *testing.B) {
			for b.Loop() {
				snapshotOfMany(b, d)
			}
		})
		b.Run("edited/"+mode, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				text := fmt.Appendf(nil, "type = 'docker'\ndescription = '%d'\n", i)
				if err := os.WriteFile(filepath.Join(path, "connector-05000.toml"), text, 0o600); err != nil {
					b.Fatal(err)
				}
				snapshotOfMany(b, d)
			}
		})
	}
}

func BenchmarkUse(b *testing.B) {
	d := Open(folderOfMany(b), time.Now)
	s := snapshotOfMany(b, d)
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			s.All()
		}
	})
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			s.Get("connector-07777")
		}
	})
	b.Run("lookup by prefix", func(b *testing.B) {
		for b.Loop() {
			_, _ = s.Lookup("connector-0777")
		}
	})
	b.Run("lookup of nothing", func(b *testing.B) {
		for b.Loop() {
			_, _ = s.Lookup("conector-0777x")
		}
	})
}

func BenchmarkCreate(b *testing.B) {
	d := Open(folderOfMany(b), time.Now)
	snapshotOfMany(b, d)
	n := 0
	for b.Loop() {
		n++
		if _, err := d.Create(b.Context(), Connector{Name: fmt.Sprintf("new-%d", n), Type: "docker"}); err != nil {
			b.Fatal(err)
		}
	}
}
