package boot

import (
	"slices"

	"branchline/pbx/store"
	"branchline/ui/api"
)

// keepVersions is how many configurations are kept; the oldest goes when one more is applied.
const keepVersions = 500

// Versions lists the configurations that are kept, the newest first.
func (c *configuration) Versions() (list []api.Version, err error) {
	err = c.box.store.View(func(tx *store.Tx) error {
		all, err := versions.All(tx)
		for key, v := range all {
			list = append(list, api.Version{Number: store.Number([]byte(key)), Who: v.Who, At: v.At})
		}
		return err
	})
	slices.SortFunc(list, func(a, b api.Version) int { return int(b.Number) - int(a.Number) })
	return list, err
}

// Text is the document of one of them.
func (c *configuration) Text(number uint64) (text []byte, ok bool, err error) {
	err = c.box.store.View(func(tx *store.Tx) error {
		v, found, err := versions.Get(tx, key(number))
		text, ok = v.Text, found
		return err
	})
	return text, ok, err
}
