package predict

import (
	"context"
	"strconv"
)

// MaxBatch is the most requests in a batch.
const MaxBatch = 1000

// batch answers the requests of one body in order, all from the same world.
type batch struct {
	*Service
	ctx   context.Context
	world *world
	lines bool // an answer a line, without a list around them
	out   []byte
	hold  *hold // of out
}

// run appends the answer to a body to b.out. An error means that the batch as a whole is refused.
func (b *batch) run(body []byte) error {
	start := len(b.out)
	if ok, err := b.scan(body); ok || err != nil {
		return err
	}
	b.out = b.out[:start]
	d, err := parse(body)
	if err != nil {
		return err
	}
	return b.walk(d)
}

// scan takes the body that nearly every client sends, an object with a list of requests and nothing
// else, without a tree: a plain request is decoded in place, any other by the full path, one at a
// time. It gives up, whatever it has written, when the whole body must be seen to know what is
// wrong.
func (b *batch) scan(body []byte) (ok bool, err error) {
	i := skipBlanks(body, 0)
	if i >= len(body) || body[i] != '{' {
		return false, nil
	}
	if i = skipBlanks(body, i+1); !hasKey(body[i:], `"requests"`) {
		return false, nil
	}
	if i = afterColon(body, i+len(`"requests"`)); i >= len(body) || body[i] != '[' {
		return false, nil
	}
	var p parser
	b.begin()
	if i = skipBlanks(body, i+1); i < len(body) && body[i] == ']' {
		i++
	} else {
		for n := 0; ; n++ {
			if n == MaxBatch {
				return false, nil
			}
			var r Request
			if used, plain := decodePlain(body[i:], &r); plain {
				i += used
				err = b.answer(n, &r)
			} else {
				if p.src == nil && !wellFormed(body) {
					return false, nil
				}
				p = parser{src: body, pos: i, depth: 2, nodes: p.nodes[:0]}
				if !p.value() {
					return false, nil
				}
				i = p.pos
				err = b.item(n, &document{src: body, nodes: p.nodes}, 0)
			}
			if err != nil {
				return false, err
			}
			if i = skipBlanks(body, i); i >= len(body) || body[i] != ',' && body[i] != ']' {
				return false, nil
			}
			if i++; body[i-1] == ']' {
				break
			}
			i = skipBlanks(body, i)
		}
	}
	if i = skipBlanks(body, i); i >= len(body) || body[i] != '}' || !onlyBlanks(body[i+1:]) {
		return false, nil
	}
	b.end()
	return true, nil
}

// walk is scan for a body that has been parsed as a whole.
func (b *batch) walk(d *document) error {
	list := 0
	switch d.nodes[0].kind {
	case kindNull:
		return errMissingBody()
	case kindObject:
	default:
		return errBatch(ruleBody, "", d.echo(0))
	}
	for k, v := range d.members(0) {
		if string(d.text(k)) == "requests" {
			list = v
		}
	}
	switch {
	case list == 0:
		return errBatch(ruleMissing, "requests", d.echo(0))
	case d.nodes[list].kind != kindArray:
		return errBatch(ruleListType, "requests", d.echo(list))
	}
	if n := d.length(list); n > MaxBatch {
		return errBatch(*ruleLength(n, 0, MaxBatch), "requests", d.echo(list))
	}
	n := 0
	b.begin()
	for i := range d.elements(list) {
		if err := b.item(n, d, i); err != nil {
			return err
		}
		n++
	}
	b.end()
	return nil
}

func errBatch(rule Rule, field string, input []byte) *Error {
	return &Error{Status: 422,
		Issues: []Issue{{Rule: rule, In: "body", Field: field, Index: -1, Input: input}}}
}

func (b *batch) begin() {
	if !b.lines {
		b.out = append(b.out, `{"results":[`...)
	}
}

func (b *batch) end() {
	if !b.lines {
		b.out = append(b.out, `]}`...)
	}
}

// item answers the n-th request, which is node i of a document.
func (b *batch) item(n int, d *document, i int) error {
	r, err := d.request(i)
	if err != nil {
		return b.append(n, nil, err)
	}
	return b.answer(n, &r)
}

// answer answers the n-th request. The error ends the batch: it is ours, the context's or append's.
func (b *batch) answer(n int, r *Request) error {
	answer, err := b.answerIn(b.ctx, b.world, r)
	refusal, ok := err.(*Error)
	if err != nil && !ok {
		return err
	}
	return b.append(n, answer, refusal)
}

// append appends the answer to the n-th request, unless there is no room for it beside the answers
// of others.
func (b *batch) append(n int, answer []byte, refusal *Error) error {
	if n > 0 && !b.lines {
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
	if b.lines {
		b.out = append(b.out, '\n')
	}
	return b.hold.grow(len(b.out))
}
