//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"tickercast/bench/peers/pyenv"
	"tickercast/model"
)

//go:embed peers.py
var script []byte

//go:embed requirements.txt
var requirements []byte

// A starter prepares the process that forecasts what the input file asks for.
type starter func(ctx context.Context, dir, input string, log io.Writer) (cmd *exec.Cmd,
	versions string, err error)

// python runs peers.py.
func python(ctx context.Context, dir, input string, log io.Writer) (cmd *exec.Cmd,
	versions string, err error) {
	program, wanted := filepath.Join(dir, "peers.py"), filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(program, script, 0o644); err != nil {
		return nil, "", err
	}
	if err := os.WriteFile(wanted, requirements, 0o644); err != nil {
		return nil, "", err
	}
	cache, err := pyenv.Cache()
	if err != nil {
		return nil, "", err
	}
	bin, err := pyenv.Make(ctx, cache, "accuracy", wanted, log)
	if err != nil {
		return nil, "", err
	}
	if versions, err = pyenv.Versions(ctx, bin, wanted); err != nil {
		return nil, "", err
	}
	cmd = exec.CommandContext(ctx, filepath.Join(bin, "python"), program, input)
	cmd.Env = os.Environ()
	for _, of := range []string{"OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR"} {
		cmd.Env = append(cmd.Env, of+"_NUM_THREADS=1")
	}
	return cmd, versions, nil
}

// question is what the peers read, and a reply is a line of what they write.
type question struct {
	Days        int         `json:"days"`
	Confidences []float64   `json:"confidences"`
	Series      [][]float64 `json:"series"`
}

type reply struct {
	Method string      `json:"method"`
	Series int         `json:"series"`
	CPU    float64     `json:"cpu"`
	Bounds [][]float64 `json:"bounds"`
	Error  string      `json:"error"`
}

// kept is the first line of a file of replies.
type kept struct {
	Question string `json:"question"` // hash of what was asked, and of who
	Versions string `json:"versions"`
}

// fromPeers asks the peers, or reads what they answered to the same question before.
func fromPeers(ctx context.Context, o options, t *task, dir string, start starter,
	log io.Writer) (all []method, versions string, err error) {
	asked := question{days, model.Confidences[:], nil}
	for i := range t.samples {
		asked.Series = append(asked.Series, t.samples[i].past(o.window))
	}
	input, err := json.Marshal(asked)
	if err != nil {
		return nil, "", err
	}
	sum := sha256.New()
	for _, part := range [][]byte{input, script, requirements} {
		sum.Write(part)
	}
	head := kept{Question: fmt.Sprintf("%x", sum.Sum(nil))}
	if o.keep == "" {
		all, _, err = head.ask(ctx, asked, dir, start, log)
		return all, head.Versions, err
	}
	old, err := os.ReadFile(o.keep)
	if err != nil && !os.IsNotExist(err) {
		return nil, "", err
	}
	var was kept
	d := json.NewDecoder(bytes.NewReader(old))
	if d.Decode(&was) == nil && was.Question == head.Question {
		fmt.Fprintf(log, "the forecasts of the peers are those of %s\n", o.keep)
		all, err = readReplies(d, len(t.samples), io.Discard)
		return all, was.Versions, err
	}
	all, text, err := head.ask(ctx, asked, dir, start, log)
	if err != nil {
		return nil, "", err
	}
	return all, head.Versions, os.WriteFile(o.keep, text, 0o644)
}

// ask starts the peers and reads what they forecast. It returns the text of that too, after k.
func (k *kept) ask(ctx context.Context, asked question, dir string, start starter,
	log io.Writer) (all []method, text []byte, err error) {
	input, err := json.Marshal(asked)
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(dir, "input.json")
	if err := os.WriteFile(path, input, 0o644); err != nil {
		return nil, nil, err
	}
	cmd, versions, err := start(ctx, dir, path, log)
	if err != nil {
		return nil, nil, err
	}
	k.Versions = versions
	cmd.Stderr = log
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	var b bytes.Buffer
	if err = json.NewEncoder(&b).Encode(k); err == nil {
		all, err = readReplies(json.NewDecoder(io.TeeReader(pipe, &b)), len(asked.Series), log)
	}
	if err != nil {
		cmd.Process.Kill() // it may wait for a reader of more
	}
	if failed := cmd.Wait(); failed != nil && err == nil {
		err = fmt.Errorf("the peers: %w", failed)
	}
	return all, b.Bytes(), err
}

// readReplies reads one reply of each method to each series, method by method.
func readReplies(d *json.Decoder, series int, log io.Writer) (all []method, err error) {
	for {
		var r reply
		if err := d.Decode(&r); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("what the peers forecast: %w", err)
		}
		if len(all) == 0 || all[len(all)-1].name != r.Method {
			all = append(all, method{name: r.Method})
		}
		m := &all[len(all)-1]
		if r.Series != len(m.bounds) {
			return nil, fmt.Errorf("%s: series %d follows %d", m.name, r.Series, len(m.bounds)-1)
		}
		b, err := r.bounds()
		if err != nil {
			m.fault = err.Error()
		}
		m.bounds = append(m.bounds, b)
		m.cpu += time.Duration(r.CPU * float64(time.Second))
		if n := len(m.bounds); n%100 == 0 || n == series {
			fmt.Fprintf(log, "%s: %d of %d series, %.1f s of CPU\n", m.name, n, series,
				m.cpu.Seconds())
		}
	}
	for i := range all {
		if len(all[i].bounds) != series {
			return nil, fmt.Errorf("%s: %d forecasts of %d series", all[i].name,
				len(all[i].bounds), series)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the peers forecast nothing")
	}
	return all, nil
}

// bounds checks what a peer forecast.
func (r *reply) bounds() (*bounds, error) {
	if r.Error != "" {
		return nil, fmt.Errorf("%s", r.Error)
	}
	if len(r.Bounds) != days {
		return nil, fmt.Errorf("%d days", len(r.Bounds))
	}
	b := new(bounds)
	for h, row := range r.Bounds {
		if len(row) != 2*model.Levels {
			return nil, fmt.Errorf("%d bounds", len(row))
		}
		copy(b[h][0][:], row)
		copy(b[h][1][:], row[model.Levels:])
	}
	return b, nil
}
