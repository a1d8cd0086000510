package predict

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// An inferInput is a tensor that the model takes, under the name that the field has in POST
// /predict. The first datatype is the one that metadata names; the others lose nothing.
type inferInput struct {
	name      string
	datatypes []string
}

const (
	inputTicker = iota
	inputDays
	inputConfidence
)

var inferInputs = [...]inferInput{
	inputTicker: {"ticker", []string{"BYTES"}},
	inputDays: {"days_ahead", []string{"INT32", "INT64", "INT16", "INT8", "UINT8", "UINT16",
		"UINT32", "UINT64"}},
	inputConfidence: {"confidence_interval", []string{"FP64", "FP32"}},
}

// inferRequest is a decoded and valid request for tensors. Its items are in the order sent.
type inferRequest struct {
	id      []byte // nil for none
	items   []Request
	days    int                     // the width of the outputs
	outputs [len(inferOutputs)]int8 // which outputs in which order: indices of inferOutputs
	wanted  int                     // how many of them
}

// tensor is an input as sent: its shape is checked against its values, its values are not checked
// yet.
type tensor struct {
	*inferInput
	single bool // FP32
	values []int
}

// decodeInfer reads the body of an inference request. An error is always an *Error and names the
// tensor at fault.
func decodeInfer(body []byte) (*inferRequest, error) {
	if len(body) == 0 {
		return nil, errInfer("the body is empty")
	}
	d, fault := parse(body)
	if fault != nil {
		return nil, inferSyntax(fault)
	}
	r, fault := (&inferDecoder{d}).request()
	if fault != nil {
		return nil, fault
	}
	return r, nil
}

// inferSyntax says in a sentence what the contract says in a list.
func inferSyntax(fault *Error) *Error {
	var ctx struct{ Error string }
	if len(fault.Issues) == 0 || json.Unmarshal([]byte(fault.Issues[0].Rule.Ctx), &ctx) != nil {
		return fault
	}
	return errInfer(fmt.Sprintf("the body is no JSON: %s, at character %d", ctx.Error,
		fault.Issues[0].Index))
}

type inferDecoder struct{ *document }

// fields finds the members of an object by name; of a repeated one the last counts. A missing one
// is 0, which is no value's index because the root is.
func (d *inferDecoder) fields(object int, names ...string) []int {
	at := make([]int, len(names))
	for k, v := range d.members(object) {
		if i := slices.Index(names, string(d.text(k))); i >= 0 {
			at[i] = v
		}
	}
	return at
}

func (d *inferDecoder) is(i int, k kind) bool { return i > 0 && d.nodes[i].kind == k }

func (d *inferDecoder) request() (*inferRequest, *Error) {
	if d.nodes[0].kind != kindObject {
		return nil, errInfer("the body is no object")
	}
	at := d.fields(0, "id", "inputs", "outputs")
	id, inputs, outputs := at[0], at[1], at[2]
	r := new(inferRequest)
	switch {
	case !d.is(inputs, kindArray):
		return nil, errInfer("inputs is missing or no list")
	case d.is(id, kindString):
		r.id = d.text(id)
	case d.present(id):
		return nil, errInfer("id is no string")
	}
	var tensors [len(inferInputs)]tensor
	for i := range d.elements(inputs) {
		if err := d.input(i, &tensors); err != nil {
			return nil, err
		}
	}
	if err := d.items(r, &tensors); err != nil {
		return nil, err
	}
	return r, d.wanted(r, outputs)
}

// input reads one element of inputs into its place.
func (d *inferDecoder) input(i int, tensors *[len(inferInputs)]tensor) *Error {
	if d.nodes[i].kind != kindObject {
		return errInfer("an input is no object")
	}
	at := d.fields(i, "name", "datatype", "shape", "data")
	name, datatype, shape, data := at[0], at[1], at[2], at[3]
	if !d.is(name, kindString) {
		return errInfer("an input has no name")
	}
	index := slices.IndexFunc(inferInputs[:],
		func(in inferInput) bool { return in.name == string(d.text(name)) })
	if index < 0 {
		return errInfer("unknown input '" + clip(d.text(name)) +
			"', there are ticker, days_ahead and confidence_interval")
	}
	in, t := &inferInputs[index], &tensors[index]
	switch {
	case t.inferInput != nil:
		return in.fail("is there twice")
	case !d.is(datatype, kindString) || !slices.Contains(in.datatypes, string(d.text(datatype))):
		return in.fail("has a datatype other than " + in.datatypes[0])
	case !d.is(data, kindArray):
		return in.fail("has no data in form of a list")
	}
	t.inferInput, t.single = in, string(d.text(datatype)) == "FP32"
	n, column, err := d.shape(in, shape)
	if err != nil {
		return err
	}
	return d.flatten(t, data, n, column)
}

// shape takes [n], and the column [n, 1] that clients send who batch every model in rows.
func (d *inferDecoder) shape(in *inferInput, i int) (n int, column bool, err *Error) {
	if !d.is(i, kindArray) {
		return 0, false, in.fail("has no shape")
	}
	var dims [3]int64
	rank := 0
	for e := range d.elements(i) {
		if rank == len(dims) || d.nodes[e].kind != kindInteger {
			return 0, false, in.fail("has a shape other than [n] or [n, 1]")
		}
		dims[rank], _ = strconv.ParseInt(string(d.raw(e)), 10, 64) // the nearest when out of range
		rank++
	}
	if rank != 1 && !(rank == 2 && dims[1] == 1) {
		return 0, false, in.fail("has a shape other than [n] or [n, 1]")
	}
	if dims[0] < 1 || dims[0] > MaxBatch {
		return 0, false, in.fail(fmt.Sprintf("has a length of %d, not 1 to %d", dims[0], MaxBatch))
	}
	return int(dims[0]), rank == 2, nil
}

// flatten lists the values of a tensor of n; a column's may stand in lists of one, as they do in an
// array of two dimensions.
func (d *inferDecoder) flatten(t *tensor, data, n int, column bool) *Error {
	if got := d.length(data); got != n {
		return t.fail(fmt.Sprintf("has %d values where its shape says %d", got, n))
	}
	t.values = make([]int, 0, n)
	for v := range d.elements(data) {
		if column && d.nodes[v].kind == kindArray && d.length(v) == 1 {
			v++ // the only child
		}
		t.values = append(t.values, v)
	}
	return nil
}

func (in *inferInput) fail(what string) *Error { return errInfer("input " + in.name + " " + what) }

// clip bounds the echo of what a client sent.
func clip(s []byte) string {
	if len(s) > 40 {
		return string(replaceInvalid(s[:40])) + "..."
	}
	return string(s)
}
