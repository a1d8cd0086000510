package metrics

import (
	"runtime"
	"runtime/debug"
	rm "runtime/metrics"
)

// goMetrics are the figures of the Go runtime that are written, under the names that Go programs
// are known to use.
var goMetrics = [...]struct {
	source, name, help string
	kind               kind
}{
	{"/sched/goroutines:goroutines", "go_goroutines", "Goroutines that exist.", gaugeKind},
	{"/sched/gomaxprocs:threads", "go_sched_gomaxprocs_threads",
		"Threads that may run Go code at once.", gaugeKind},
	{"/gc/cycles/total:gc-cycles", "go_gc_cycles_total_gc_cycles_total",
		"Garbage collections completed.", counterKind},
	{"/gc/gogc:percent", "go_gc_gogc_percent", "Heap growth that starts a collection.", gaugeKind},
	{"/gc/gomemlimit:bytes", "go_gc_gomemlimit_bytes", "Memory limit of the Go runtime.",
		gaugeKind},
	{"/cpu/classes/gc/total:cpu-seconds", "go_cpu_classes_gc_total_cpu_seconds_total",
		"Estimated CPU time spent collecting garbage.", counterKind},
	{"/cpu/classes/gc/mark/idle:cpu-seconds", "go_cpu_classes_gc_mark_idle_cpu_seconds_total",
		"The part of it that only cores with nothing else to do spent.", counterKind},
	{"/gc/heap/allocs:bytes", "go_memstats_alloc_bytes_total",
		"Bytes allocated on the heap, freed ones included.", counterKind},
	{"/gc/heap/allocs:objects", "go_memstats_mallocs_total",
		"Objects allocated on the heap, freed ones included.", counterKind},
	{"/gc/heap/frees:objects", "go_memstats_frees_total", "Heap objects freed.", counterKind},
	{"/memory/classes/heap/objects:bytes", "go_memstats_alloc_bytes",
		"Bytes of heap objects, live or not yet swept.", gaugeKind},
	{"/gc/heap/objects:objects", "go_memstats_heap_objects", "Heap objects, live or not yet swept.",
		gaugeKind},
	{"/gc/heap/goal:bytes", "go_memstats_next_gc_bytes",
		"Heap size at which the next collection ends.", gaugeKind},
	{"/memory/classes/heap/released:bytes", "go_memstats_heap_released_bytes",
		"Heap memory given back to the system.", gaugeKind},
	{"/memory/classes/heap/stacks:bytes", "go_memstats_stack_inuse_bytes",
		"Bytes of goroutine stacks.", gaugeKind},
	{"/memory/classes/total:bytes", "go_memstats_sys_bytes",
		"Memory that the Go runtime holds, released heap included.", gaugeKind},
}

// AddGo adds go_*: what the runtime of Go says of itself. A figure that this version of Go does not
// have is left out.
func AddGo(r *Registry) {
	for _, m := range goMetrics {
		if _, ok := readGo(m.source); ok {
			addFunc(r, m.kind, m.name, m.help,
				func() float64 { v, _ := readGo(m.source); return v }, nil)
		}
	}
	r.InfoFunc("go_info", "Version of Go that built this program.", func() []Label {
		return []Label{{"version", runtime.Version()}}
	})
}

func readGo(source string) (float64, bool) {
	sample := []rm.Sample{{Name: source}}
	rm.Read(sample)
	switch v := sample[0].Value; v.Kind() {
	case rm.KindUint64:
		return float64(v.Uint64()), true
	case rm.KindFloat64:
		return v.Float64(), true
	}
	return 0, false
}

// AddBuild adds build_info: the given version, and the revision and Go version that are stamped
// into the binary.
func AddBuild(r *Registry, version string) {
	labels := []Label{{"version", version}, {"goversion", runtime.Version()}, {"revision", ""},
		{"modified", ""}}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				labels[2].Value = s.Value
			case "vcs.modified":
				labels[3].Value = s.Value
			}
		}
	}
	r.InfoFunc("build_info", "What is running.", func() []Label { return labels })
}
