package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gostreamer/streamer"
	_ "github.com/gostreamer/streamer/file"
)

// order is one event of the log.
type order struct {
	ID       int    `json:"id"`
	Customer string `json:"customer"`
	Item     string `json:"item"`
	Cents    int64  `json:"cents"`
}

// newOrders invents orders: the same ones in every run. They have hundreds of
// customers, as a worker is given whole customers: with a few, it would be
// chance whether a worker is given many orders or none.
func newOrders(count int) []order {
	surnames := []string{
		"Abebe", "Bianchi", "Chen", "Dubois", "Evans", "Fischer", "Garcia", "Haddad", "Ivanova", "Jansen", "Kowalski", "Lindqvist",
		"Mbeki", "Nakamura", "Okafor", "Patel", "Quispe", "Rossi", "Santos", "Tanaka", "Ueda", "Virtanen", "Walker", "Yilmaz",
	}
	items := []string{"lamp", "desk", "chair", "book", "kettle", "bicycle", "carpet", "clock", "radio", "mirror"}
	random := rand.New(rand.NewPCG(2026, 1))
	orders := make([]order, count)
	for i := range orders {
		orders[i] = order{
			ID:       i + 1,
			Customer: fmt.Sprintf("%c. %s", 'A'+random.IntN(26), surnames[random.IntN(len(surnames))]),
			Item:     items[random.IntN(len(items))],
			Cents:    200 + random.Int64N(30_000),
		}
	}
	return orders
}

// shards is over how many the orders are spread: so many processes can share
// them.
const shards = 4

// writeOrders stores the orders in the log, keyed by customer, and returns
// where each of them is.
func writeOrders(ctx context.Context, dir string, orders []order) (places map[int]streamer.Meta, err error) {
	s, err := streamer.Connect(ctx, fmt.Sprintf("%s?shards=%d", logURI(dir), shards))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		return nil, err
	}
	receipts := map[int]*streamer.Receipt{}
	for _, o := range orders {
		value, err := json.Marshal(o)
		if err != nil {
			return nil, err
		}
		receipts[o.ID] = p.Send(ctx, streamer.Record{Key: []byte(o.Customer), Value: value})
	}
	places = map[int]streamer.Meta{}
	for id, r := range receipts {
		if places[id], err = r.Wait(ctx); err != nil { // nil: it is stored
			return nil, err
		}
	}
	return places, nil
}

// noted asks the log which orders the group has noted as done.
func noted(ctx context.Context, dir string, places map[int]streamer.Meta) (ids map[int]bool, err error) {
	s, err := streamer.Connect(ctx, logURI(dir))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	groups, err := s.Admin().Groups(ctx, "orders")
	if err != nil {
		return nil, err
	}
	if len(groups) != 1 || len(groups[0].Lag) != shards {
		return nil, fmt.Errorf("the log does not know the positions of the group %q: %v", group, groups)
	}
	done := map[streamer.ShardID]uint64{} // the numbers of a shard count from 1
	for _, at := range places {
		done[at.Shard] = max(done[at.Shard], at.Seq.Uint())
	}
	for _, lag := range groups[0].Lag {
		done[lag.Shard] -= uint64(lag.Messages) //nolint:gosec // not negative
	}
	ids = map[int]bool{}
	for id, at := range places {
		ids[id] = at.Seq.Uint() <= done[at.Shard]
	}
	return ids, nil
}

// sizeOf is the size of the log's file.
func sizeOf(dir string) (int64, error) {
	info, err := os.Stat(filepath.Join(dir, "orders.ss"))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func parseOrder(m *streamer.Message) (order, error) {
	var o order
	if err := json.Unmarshal(m.Value, &o); err != nil {
		return o, fmt.Errorf("order at %v: %w", m.Seq, err)
	}
	return o, nil
}
