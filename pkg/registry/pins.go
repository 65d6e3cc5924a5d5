package registry

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/svcconn/svcconn/pkg/atomicfile"
	"github.com/svcconn/svcconn/pkg/fault"
	"github.com/svcconn/svcconn/pkg/filelock"
	"github.com/svcconn/svcconn/pkg/tomlfile"
)

// Pin is a person's decision that an address is served by one connector, whichever
// others could: what `login --connector` writes.
type Pin struct {
	ResourceType string
	Address      string // as the native tool's requests are normalised
	Connector    string // id
	ResourceName string // canonical; "" is the one that the address tells
}

// Pins is the file of the pins, CONFIG/pins.toml. It is safe for concurrent use, and
// any number of processes may each have one over the same file.
type Pins struct {
	folder string
	file   tomlfile.Cached[[]Pin]
}

const pinsFile = "pins.toml"

// OpenPins returns the pins in a folder. Nothing is read before the first use and
// nothing made before the first write.
func OpenPins(config string, now func() time.Time) *Pins {
	return &Pins{folder: config, file: tomlfile.Cached[[]Pin]{
		Path: filepath.Join(config, pinsFile), Name: pinsFile, Decode: decodePins, Now: now,
	}}
}

// List returns all pins as they are now, sorted by resource type and address.
func (p *Pins) List() ([]Pin, error) {
	pins, err := p.file.Get()
	return slices.Clone(pins), err
}

// Set adds a pin, in the place of another one for the same address.
func (p *Pins) Set(ctx context.Context, pin Pin) error {
	return p.change(ctx, func(pins []Pin) []Pin {
		pins = slices.DeleteFunc(pins, pin.samePlace)
		return append(pins, pin)
	})
}

// Remove removes the pin of an address. That there is none is no error.
func (p *Pins) Remove(ctx context.Context, resourceType, address string) error {
	return p.change(ctx, func(pins []Pin) []Pin {
		return slices.DeleteFunc(pins, Pin{ResourceType: resourceType, Address: address}.samePlace)
	})
}

// RemoveConnector removes all pins to a connector, by id.
func (p *Pins) RemoveConnector(ctx context.Context, id string) error {
	return p.change(ctx, func(pins []Pin) []Pin {
		return slices.DeleteFunc(pins, func(pin Pin) bool { return pin.Connector == id })
	})
}

func (p Pin) samePlace(other Pin) bool {
	return p.ResourceType == other.ResourceType && p.Address == other.Address
}

// change rewrites the file while nobody else does, if that makes a difference.
func (p *Pins) change(ctx context.Context, do func([]Pin) []Pin) error {
	if before, err := p.List(); err == nil && slices.Equal(before, sorted(do(slices.Clone(before)))) {
		return nil
	}
	if err := atomicfile.MakeDir(p.folder); err != nil {
		return err
	}
	lock, err := filelock.Acquire(ctx, filepath.Join(p.folder, ".pins.lock"))
	if err != nil {
		return err
	}
	defer lock.Release()
	pins, err := p.List()
	if err != nil {
		return err
	}
	pins = sorted(do(pins))
	if len(pins) == 0 {
		return atomicfile.Remove(p.file.Path)
	}
	data, err := encodePins(pins)
	if err != nil {
		return err
	}
	return atomicfile.Write(throughLinks(p.file.Path), data, atomicfile.FileMode)
}

func sorted(pins []Pin) []Pin {
	slices.SortFunc(pins, func(a, b Pin) int {
		return cmp.Or(cmp.Compare(a.ResourceType, b.ResourceType), cmp.Compare(a.Address, b.Address))
	})
	return pins
}

func encodePins(pins []Pin) ([]byte, error) {
	var w tomlfile.Writer
	w.Comment("Which connector serves an address, where a login said so. svcconn writes this file.")
	for _, pin := range pins {
		w.Element("pin")
		w.Set("resource_type", pin.ResourceType)
		w.Set("address", pin.Address)
		w.Set("connector", pin.Connector)
		tomlfile.SetNonZero(&w, "resource_name", pin.ResourceName)
	}
	data, err := w.Bytes()
	if err == nil {
		_, err = decodePins(data)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "the pin cannot be stored: %w", err)
	}
	return data, nil
}

func decodePins(data []byte) ([]Pin, error) {
	t, err := tomlfile.Parse(pinsFile, data)
	if err != nil {
		return nil, err
	}
	var pins []Pin
	for _, row := range t.Tables("pin") {
		pin := Pin{
			ResourceType: row.String("resource_type"), Address: row.String("address"),
			Connector: row.String("connector"), ResourceName: row.String("resource_name"),
		}
		row.Require("resource_type")
		row.Require("address")
		row.Require("connector")
		if slices.ContainsFunc(pins, pin.samePlace) {
			row.Mistake("address", fault.New(fault.Invalid, "is pinned twice").Hint("remove one of the two pins"))
		}
		pins = append(pins, pin)
	}
	return sorted(pins), t.Err()
}
