package node

import (
	"lanyard/app/config"
	"lanyard/sync/engine"
)

// offers gives the offers that were kept in the home. A file that cannot be read
// costs no more than that devices which are away are not shown to offer anything
// until they come back.
func (n *Node) offers() []engine.Offered {
	kept, err := n.store.Home().LoadOffers()
	if err != nil {
		n.opts.Log.Warn("offers are not remembered", "error", err)
	}
	out := make([]engine.Offered, 0, len(kept))
	for _, o := range kept {
		out = append(out, engine.Offered(o))
	}
	return out
}

// keepOffers keeps the offers of folders in the home.
func (n *Node) keepOffers(offers []engine.Offered) error {
	out := make([]config.Offer, 0, len(offers))
	for _, o := range offers {
		out = append(out, config.Offer(o))
	}
	return n.store.Home().SaveOffers(out)
}
