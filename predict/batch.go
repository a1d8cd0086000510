package predict

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"tickercast/predict/pyjson"
)

// MaxBatch is the most requests in a batch.
const MaxBatch = 1000

// batch answers the requests of one body in order, all from the same state.
type batch struct {
	*Service
	state  *state
	format format
	strict bool
	out    []byte
	held   *reservation // for out
}

// run appends the answer to a body to b.out. An error refuses the batch as a whole.
func (b *batch) run(ctx context.Context, body []byte) (err error) {
	if b.state, err = b.current(); err != nil {
		return err
	}
	switch b.format {
	case formatJSON:
		b.out = append(b.out, `{"results":[`...)
	case formatCSV:
		b.out = append(b.out, csvHead+",error\n"...)
	}
	start := len(b.out)
	ok, err := b.decodeStream(ctx, body)
	if !ok && err == nil {
		b.out = b.out[:start]
		err = b.decodeTree(ctx, body)
	}
	if b.format == formatJSON {
		b.out = append(b.out, `]}`...)
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
	for n := range MaxBatch {
		var r Request
		if used, ok := decodeFast(body[i:], &r); ok {
			i += used
			err = b.answer(ctx, n, &r)
		} else {
			if d == nil {
				if !pyjson.Valid(body) {
					return 0, nil
				}
				d = new(pyjson.Document)
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
	switch d.Kind(0) {
	case pyjson.Null:
		return errMissingBody()
	case pyjson.Object:
	default:
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
	if n := d.Len(list); n > MaxBatch {
		return errValue(*ruleLength(n, 0, MaxBatch), "requests", d.Input(list))
	}
	n := 0
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
	if b.format == formatCSV {
		rows, err := b.csvRows(ctx, b.state, r, ",\n")
		return b.append(n, rows, err)
	}
	answer, _, err := b.answerFrom(ctx, b.state, r)
	return b.append(n, answer, err)
}

// append appends the answer to the n-th request, and reserves its memory. An error ends the batch.
func (b *batch) append(n int, answer []byte, err error) error {
	refusal, ok := errors.AsType[*Error](err)
	if err != nil && !ok {
		return err
	}
	if b.format == formatCSV {
		if refusal != nil {
			answer = csvError(n, refusal)
		}
		b.out = append(b.out, answer...)
		return b.held.reserve(len(b.out))
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
		b.out = b.redacted(refusal).appendDetail(b.out)
		b.out = append(b.out, '}')
	}
	b.out = append(b.out, '}')
	if b.format == formatLines {
		b.out = append(b.out, '\n')
	}
	return b.held.reserve(len(b.out))
}
