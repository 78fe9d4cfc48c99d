package pull

import (
	"crypto/sha256"
	"errors"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// errNoSource means that no connected device could give a block.
var errNoSource = fault.New(fault.Retry, "", "no connected device can give this file now")

// errBadBlock is what a block whose bytes do not have its hash counts as.
var errBadBlock = fault.New(fault.Peer, "", "the bytes do not have the announced hash")

// ask sends requests while the budget lasts, for the oldest file first. Files
// whose blocks are all asked for leave the queue; they come back if an answer
// fails.
func (r *round) ask() {
	for len(r.toAsk) > 0 && r.budgetLeft() {
		it := r.toAsk[0]
		if r.askFor(it) {
			return // the budget ran out
		}
		r.toAsk[0] = nil
		r.toAsk = r.toAsk[1:]
		it.queued = false
		switch {
		case it.inFlight > 0:
		case it.err == nil && !r.stopped && !it.steps.Done() && r.onlyBehind(it.need.From):
			r.putAside(it)
		default:
			r.settle(it, errNoSource)
		}
	}
}

func (r *round) budgetLeft() bool { return r.bytes < maxBytes && r.requests < maxRequests }

// askFor asks for an item's missing blocks and reports whether the budget
// ended it.
func (r *round) askFor(it *item) bool {
	for it.err == nil && !r.stopped {
		if !r.budgetLeft() {
			return true
		}
		i, from, ok := it.steps.Ask(r.load)
		if !ok {
			return false
		}
		r.request(it, i, from)
	}
	return false
}

func (r *round) request(it *item, i int, from device.ID) {
	b := it.want.Blocks[i]
	a := r.owe(it, i, from)
	req := &bep.Request{
		Folder: r.o.Folder, Name: it.name(), Offset: b.Offset, Size: b.Size, Hash: b.Hash[:], BlockNo: int32(i),
	}
	r.o.Source.Request(from, req, func(resp *bep.Response, err error) {
		if !a.state.CompareAndSwap(askOpen, askTaken) {
			if resp != nil {
				r.o.Source.Release(resp)
			}
			r.w.turn.Post(func() { r.w.late(a) })
			return
		}
		r.w.wr.Go(func() {
			err := it.write(i, resp, err)
			r.met(err)
			if resp != nil {
				r.o.Source.Release(resp)
			}
			r.w.turn.Post(func() { r.wrote(a, err) })
		})
	})
}

// write verifies an answer and writes it; it runs on the write pool.
func (it *item) write(i int, resp *bep.Response, err error) error {
	b := it.want.Blocks[i]
	switch {
	case err != nil:
		return err
	case resp.Code != bep.CodeOK:
		return fault.New(fault.Retry, "", "the device answered with code %d", resp.Code)
	case len(resp.Data) != int(b.Size) || sha256.Sum256(resp.Data) != b.Hash:
		return errBadBlock
	case it.r.full.Load():
		return local(it.noRoom())
	case it.wholeAtOnce():
		return local(it.writeWhole(resp.Data))
	}
	if _, err := it.file.WriteAt(resp.Data, b.Offset); err != nil {
		return local(err)
	}
	it.file.Flush(b.Offset, int64(b.Size))
	it.r.w.progress.wrote(it, int64(b.Size))
	return nil
}

// wholeAtOnce reports whether the file is written in one go when its one
// block comes, so that it holds no descriptor before.
func (it *item) wholeAtOnce() bool {
	return len(it.want.Blocks) == 1 && it.want.Size <= smallFile
}

// localError is an error of our own disk: no other device can help.
type localError struct{ error }

func (e localError) Unwrap() error { return e.error }

func local(err error) error {
	if err == nil {
		return nil
	}
	return localError{err}
}

// wrote takes the outcome of one block.
func (r *round) wrote(a *ask, err error) {
	it, i, from := a.it, a.block, a.from
	it.inFlight--
	r.w.pay(a)
	var own localError
	switch {
	case err == nil:
		it.steps.Have(i)
	case errors.As(err, &own):
		it.fail(own.error)
	default:
		r.o.Log.Debug("block not fetched", "name", it.name().String(), "block", i, "device", from.Short().String(), "error", err)
		it.steps.Failed(i, from)
	}
	if it.inFlight == 0 {
		r.settle(it, nil)
	} else if err != nil {
		r.queue(it)
	}
	r.fill()
}

// queue puts an item where it is asked for again.
func (r *round) queue(it *item) {
	if !it.queued {
		it.queued = true
		r.toAsk = append(r.toAsk, it)
	}
}

// settle moves an item on that waits for no answer. stuck is why it cannot go
// on if it still lacks blocks, nil to try again.
func (r *round) settle(it *item, stuck error) {
	switch {
	case it.err != nil || r.stopped:
		r.drop(it)
	case it.steps.Done() && it.wholeAtOnce():
		r.makeReady(it)
	case it.steps.Done():
		r.finish(it)
	case stuck != nil:
		it.fail(stuck)
		r.drop(it)
	default:
		r.queue(it)
	}
}

// drop closes an item that did not get its blocks.
func (r *round) drop(it *item) {
	if it.queued {
		r.toAsk = slices.DeleteFunc(r.toAsk, func(other *item) bool { return other == it })
	}
	r.close(it)
}

// finish sets permissions and time of a file that is whole.
func (r *round) finish(it *item) {
	r.w.wr.Go(func() {
		err := it.finishFile()
		r.w.turn.Post(func() {
			if err != nil {
				it.fail(err)
				r.close(it)
			} else {
				r.makeReady(it)
			}
			r.fill()
		})
	})
}
