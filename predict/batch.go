package predict

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"tickercast/predict/internal/limits"
	"tickercast/predict/pyjson"
)

// batch answers the requests of one body in order, all from the same state.
type batch struct {
	*Service
	state   *state
	format  format
	strict  bool
	out     []byte
	reused  *[]byte               // what out was at first, from the pool
	held    *limits.Hold          // counts out
	charge  func(items int) error // nil: nothing
	charged bool

	kept  bool // give only answers from the cache, and do not count them
	given int  // of these
}

// longBatch is the length of a body with some dozen requests, whose answers fill the buffer of
// another batch.
const longBatch = 2 << 10

// reuse begins with the buffer of another batch, if there is room for it.
func (b *batch) reuse() {
	out := b.outputs.get()
	if b.held.Grow(cap(*out)) != nil {
		b.outputs.put(out)
		return
	}
	b.reused, b.out = out, *out
}

// keep leaves the buffer to another batch.
func (b *batch) keep() {
	if b.reused != nil {
		*b.reused = b.out
		b.outputs.put(b.reused)
	}
}

// errNotKept ends a batch that is to be answered from the cache and cannot.
var errNotKept = errors.New("an item that is not in the cache")

// What encloses the answers. There always is room for the end.
const (
	resultsOpen  = `{"results":[`
	resultsClose = `]}`
)

// run appends the answer to a body to b.out. An error refuses the batch as a whole.
func (b *batch) run(ctx context.Context, body []byte, held *limits.Hold) (err error) {
	if b.state, err = b.current(); err != nil {
		return err
	}
	if b.held = held; len(body) > longBatch {
		b.reuse()
	}
	open, end := b.format.around()
	if err := b.extend(len(open)); err != nil {
		return err
	}
	b.out = append(b.out, open...)
	start := len(b.out)
	ok, err := b.decodeStream(ctx, body)
	if !ok && err == nil {
		b.out = b.out[:start]
		err = withTree(body, held, func() error { return b.decodeTree(ctx, body) })
	}
	b.out = append(b.out, end...)
	return err
}

// extend makes room for n more bytes of out, besides its end.
func (b *batch) extend(n int) (err error) {
	if n += len(resultsClose); len(b.out)+n > cap(b.out) {
		b.out, err = extend(b.out, max(n, cap(b.out), firstRead), b.held)
	}
	return err
}

// decodeStream answers a body in the form that nearly every client sends, an object of nothing but
// the list, without a tree of the whole: requests in the usual form are decoded in place, others
// parsed one at a time. ok is false, whatever is in b.out, if decodeTree must do it, which also
// finds what is wrong.
func (b *batch) decodeStream(ctx context.Context, body []byte) (ok bool, err error) {
	const name = `"requests"`
	i := skipBlanks(body, 0)
	if i >= len(body) || body[i] != '{' {
		return false, nil
	}
	if i = skipBlanks(body, i+1); !hasPrefix(body[i:], name) {
		return false, nil
	}
	if i = afterColon(body, i+len(name)); i >= len(body) || body[i] != '[' {
		return false, nil
	}
	if b.charge != nil {
		n := countItems(body[i+1:])
		if n < 0 || n > b.cfg.MaxItems {
			return false, nil
		}
		if err := b.chargeOnce(n); err != nil {
			return false, err
		}
	}
	if i = skipBlanks(body, i+1); i < len(body) && body[i] == ']' {
		i++
	} else if i, err = b.decodeItems(ctx, body, i); err != nil || i == 0 {
		return false, err
	}
	i = skipBlanks(body, i)
	return i < len(body) && body[i] == '}' && onlyBlanks(body[i+1:]), nil
}

// decodeItems answers the requests of a list of which the first begins at body[i], and returns the
// index after the list, or 0 if decodeTree must do it.
func (b *batch) decodeItems(ctx context.Context, body []byte, i int) (end int, err error) {
	var d *pyjson.Document // of an unusual request
	for n := range b.cfg.MaxItems {
		var r Request
		if used, ok := decodeFast(body[i:], &r); ok {
			i += used
			err = b.answer(ctx, n, &r)
		} else if b.kept {
			return 0, errNotKept
		} else {
			if d == nil {
				if !pyjson.Valid(body) {
					return 0, nil
				}
				tree := pyjson.TreeBytes(body)
				if err := grow(b.held, tree); err != nil {
					return 0, err
				}
				defer b.held.Shrink(tree)
				d = pyjson.NewDocument(body)
			}
			if i, ok = d.ParseValue(body, i, 2); !ok {
				return 0, nil
			}
			err = b.item(ctx, n, d, 0)
		}
		if err != nil {
			return 0, err
		}
		if i = skipBlanks(body, i); i >= len(body) {
			return 0, nil
		}
		switch body[i] {
		case ',':
			i = skipBlanks(body, i+1)
		case ']':
			return i + 1, nil
		default:
			return 0, nil
		}
	}
	return 0, nil // too many
}

// decodeTree answers any body.
func (b *batch) decodeTree(ctx context.Context, body []byte) error {
	d, err := parse(body)
	if err != nil {
		return err
	}
	if d.Kind(0) != pyjson.Object {
		return errValue(ruleBody, "", d.Input(0))
	}
	list := d.Fields(0, "requests")[0]
	if b.strict {
		c := checker{Document: d}
		if c.extra(0, "requests"); len(c.issues) > 0 {
			return &Error{Status: http.StatusUnprocessableEntity, Issues: c.issues}
		}
	}
	switch {
	case list == 0:
		return errValue(ruleMissing, "requests", d.Input(0))
	case d.Kind(list) != pyjson.Array:
		return errValue(ruleListType, "requests", d.Input(list))
	}
	n := d.Len(list)
	if n > b.cfg.MaxItems {
		return errValue(*ruleLength(n, 0, b.cfg.MaxItems), "requests", d.Input(list))
	}
	if err := b.chargeOnce(n); err != nil {
		return err
	}
	n = 0
	for i := range d.Elements(list) {
		if err := b.item(ctx, n, d, i); err != nil {
			return err
		}
		n++
	}
	return nil
}

// item answers the n-th request, which is node i of d.
func (b *batch) item(ctx context.Context, n int, d *pyjson.Document, i int) error {
	r, err := decodeNode(d, i, b.strict)
	if err != nil {
		return b.append(n, nil, err)
	}
	return b.answer(ctx, n, &r)
}

// answer answers the n-th request.
func (b *batch) answer(ctx context.Context, n int, r *Request) error {
	if b.kept {
		return b.answerKept(n, r)
	}
	if b.format == formatCSV {
		rows, _, err := b.csvRows(ctx, b.state, r, ",\n")
		return b.append(n, rows, err)
	}
	answer, _, err := b.answerFrom(ctx, b.state, r)
	return b.append(n, answer, err)
}

// append appends the answer to the n-th request. An error ends the batch.
func (b *batch) append(n int, answer []byte, err error) error {
	refusal, ok := errors.AsType[*Error](err)
	if err != nil && !ok {
		return err
	}
	if refusal != nil {
		refusal = b.redacted(refusal)
	}
	if b.format == formatCSV {
		return b.appendCSV(n, answer, refusal)
	}
	size := len(answer)
	if refusal != nil {
		size = refusal.mostBytes()
	}
	if err := b.extend(size + itemBytes); err != nil {
		return err
	}
	if n > 0 && b.format == formatJSON {
		b.out = append(b.out, ',')
	}
	if refusal == nil {
		b.out = append(b.out, `{"predictions":`...)
		b.out = append(b.out, answer...)
	} else {
		b.out = append(b.out, `{"error":{"status":`...)
		b.out = strconv.AppendInt(b.out, int64(refusal.Status), 10)
		b.out = append(b.out, ',')
		b.out = refusal.appendDetail(b.out)
		b.out = append(b.out, '}')
	}
	b.out = append(b.out, '}')
	if b.format == formatLines {
		b.out = append(b.out, '\n')
	}
	return nil
}

// chargeOnce charges the client for n items, unless it was charged before.
func (b *batch) chargeOnce(n int) error {
	if b.charge == nil || b.charged {
		return nil
	}
	b.charged = true
	return b.charge(n)
}

// itemBytes is room for what append writes around an answer.
const itemBytes = len(`,{"error":{"status":422,}}`) + 1
