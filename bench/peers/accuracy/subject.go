//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"tickercast/bench/proc"
	"tickercast/model"
)

// A method is who forecasts, and what it forecast.
type method struct {
	name   string
	bounds []*bounds // by sample; nil where it failed
	cpu    time.Duration
	fault  string // of the last failure
}

// bounds are logs of price over the close of the origin, by day ahead: lower and upper, by level.
type bounds [days][2][model.Levels]float64

// fromCommand forecasts as a user with the whole file does: by a process for each origin.
func fromCommand(ctx context.Context, o options, t *task, log io.Writer) (method, error) {
	m := method{name: "tickercast"}
	n := len(t.tickers)
	for k, origin := range t.origins {
		args := []string{"predict", "-as-of", origin.String(), "-days", strconv.Itoa(days),
			"-confidence", levels(), "-format", "csv"}
		if o.prices != "" {
			args = append(args, "-prices", o.prices)
		}
		args = append(withWeights(args, o), t.tickers...)
		cmd := exec.CommandContext(ctx, o.binary, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return m, fmt.Errorf("tickercast %s: %w: %s", strings.Join(args[:5], " "), err, &stderr)
		}
		m.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		all, err := parseForecasts(out, t.samples[k*n:][:n], origin.String())
		if err != nil {
			return m, fmt.Errorf("tickercast predict -as-of %s: %w", origin, err)
		}
		m.bounds = append(m.bounds, all...)
		fmt.Fprintf(log, "%s: %d of %d dates\n", m.name, k+1, len(t.origins))
	}
	return m, nil
}

func withWeights(args []string, o options) []string {
	if o.weights != "" {
		args = append(args, "-weights", o.weights)
	}
	return args
}

func levels() string {
	var all []string
	for _, c := range model.Confidences {
		all = append(all, strconv.FormatFloat(c, 'g', -1, 64))
	}
	return strings.Join(all, ",")
}

// parseForecasts reads the CSV of predict: of each sample in turn, each day and level.
func parseForecasts(out []byte, samples []sample, asOf string) (all []*bounds, err error) {
	r := csv.NewReader(bytes.NewReader(out))
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no header")
	}
	var column [5]int
	for i, name := range []string{"as_of", "days_ahead", "confidence", "confidence_lower",
		"confidence_upper"} {
		if column[i] = slices.Index(rows[0], name); column[i] < 0 {
			return nil, fmt.Errorf("no column %q in %q", name, rows[0])
		}
	}
	if rows = rows[1:]; len(rows) != len(samples)*days*model.Levels {
		return nil, fmt.Errorf("%d rows for %d tickers, %d days and %d confidences", len(rows),
			len(samples), days, model.Levels)
	}
	for i := range samples {
		s, b := &samples[i], new(bounds)
		for h := range days {
			for l, c := range model.Confidences {
				row := rows[0]
				rows = rows[1:]
				if row[column[0]] != asOf || row[column[1]] != strconv.Itoa(h+1) ||
					row[column[2]] != strconv.FormatFloat(c, 'g', -1, 64) {
					return nil, fmt.Errorf("row %q, want %s as of %s, %d days ahead at %v", row,
						s.series.Ticker, asOf, h+1, c)
				}
				for side := range 2 {
					price, err := strconv.ParseFloat(row[column[3+side]], 64)
					if err != nil {
						return nil, fmt.Errorf("row %q: %w", row, err)
					}
					b[h][side][l] = math.Log(price / s.series.Level(s.row))
				}
			}
		}
		all = append(all, b)
	}
	return all, nil
}

// historiesAtOnce is how many histories a request brings, so that even long ones stay below the
// server's limit of a body.
const historiesAtOnce = 10

// fromHistories forecasts from the closes that the peers see, as requests to a server.
func fromHistories(ctx context.Context, o options, t *task) (method, error) {
	m := method{name: "tickercast, the same closes only"}
	server, err := proc.Start(ctx, proc.Tickercast(o.binary, withWeights(nil, o)...))
	if err != nil {
		return m, err
	}
	defer server.Stop()
	ask := func(samples []sample) (all []*bounds, err error) {
		return askHistories(ctx, "http://"+server.Addr+"/predict/batch", o, t, samples)
	}
	if _, err := ask(t.samples[:1]); err != nil { // what a first request costs once
		return m, err
	}
	m.cpu, err = server.During(func() error {
		for part := range slices.Chunk(t.samples, historiesAtOnce) {
			all, err := ask(part)
			if err != nil {
				return err
			}
			m.bounds = append(m.bounds, all...)
		}
		return nil
	})
	return m, err
}

type historyRequest struct {
	Ticker  string    `json:"ticker"`
	Days    int       `json:"days_ahead"`
	AsOf    string    `json:"as_of"`
	Levels  []float64 `json:"levels"`
	History []float64 `json:"history"`
}

type historyAnswer struct {
	Predictions []struct {
		Intervals []struct {
			Lower float64 `json:"lower"`
			Upper float64 `json:"upper"`
		} `json:"intervals"`
	} `json:"predictions"`
}

func askHistories(ctx context.Context, url string, o options, t *task,
	samples []sample) (all []*bounds, err error) {
	var asked struct {
		Requests []historyRequest `json:"requests"`
	}
	for i := range samples {
		s := &samples[i]
		asked.Requests = append(asked.Requests, historyRequest{"SERIES", days,
			t.origins[s.origin].String(), model.Confidences[:], s.past(o.window)})
	}
	body, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var answered struct {
		Results []historyAnswer `json:"results"`
	}
	if err := json.Unmarshal(text, &answered); err != nil || len(answered.Results) != len(samples) {
		return nil, fmt.Errorf("POST /predict/batch: %s: %.300s", resp.Status, text)
	}
	for i, a := range answered.Results {
		b, last := new(bounds), samples[i].series.Close[samples[i].row]
		if len(a.Predictions) != days {
			return nil, fmt.Errorf("POST /predict/batch: %d days: %.300s", len(a.Predictions), text)
		}
		for h, day := range a.Predictions {
			if len(day.Intervals) != model.Levels {
				return nil, fmt.Errorf("POST /predict/batch: %d intervals", len(day.Intervals))
			}
			for l, v := range day.Intervals {
				b[h][0][l], b[h][1][l] = math.Log(v.Lower/last), math.Log(v.Upper/last)
			}
		}
		all = append(all, b)
	}
	return all, nil
}
