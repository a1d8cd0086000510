// Package cache is an in-memory cache for answers that cost far more to compute than to keep:
// sharded over [sync.Map], bounded exactly in entries and in bytes, with a time to live and one
// load per missing key.
//
//   - A hit takes no lock, no compare-and-swap and allocates nothing; once an
//     entry is marked as used, it writes nothing either.
//   - The bounds hold at every instant, not eventually: room is made first.
//   - An entry is never served at its TTL or older. Each hit reads the clock,
//     about 23 of its 60 to 80 ns. A clock published by a ticker would save
//     that, but it is late whenever its goroutine is, without limit in a
//     container that was frozen, and then it serves what has expired.
//   - Callers that miss a key together share one load, safe against a panic,
//     [runtime.Goexit] and callers that leave.
//   - Eviction is second chance over two queues that adapt to the traffic (see
//     policy), of the class of LRU and better where popularity is fixed.
//   - No goroutine runs. Expired entries go when a load or an eviction meets
//     them, else within about a minute by a timer, which stops when the cache
//     is empty and in [Cache.Close].
//
// # What it is not
//
// It is not exact LRU. It has no Set and no Delete: values come from loads and go by age, by
// eviction or all together by [Cache.Purge]. It bounds neither the number of loads nor their time.
// It does not count hits, which would be a write that all processors share: see [Stats.Hits].
//
// Values are shared between callers and must not be changed. Keys must be equal to themselves: a
// key with a NaN in it is loaded for each caller and never kept. A K of integers alone and without
// padding costs about half as much to hash as one with a float64: math.Float64bits makes one of the
// other. A K that holds a pointer or an interface allocates on every look-up.
//
// # Figures
//
// Measured on 2 virtual cores of an AMD EPYC with go1.26.8, linux/amd64.
//
// Hit ratio against exact LRU in points, 11 workloads over 15,000 keys at 8 capacities of 0.5 to 80
// % of them, a million accesses (CACHE_LONG=1 go test -run HitRatio -v -timeout 1h ./cache):
//
//	          mean    worst
//	cache    +3.4     -0.4
//	CLOCK    +0.6     -1.7
//	SIEVE    +3.3    -17.4
//	FIFO     -2.5     -5.5
//
// Nanoseconds of a hit, one hot key and zipf(1.0) over 15,000 keys, the shortest of 60 short runs
// on a busy machine (go test -run - -bench Hit -cpu 1 -benchtime 5ms -count 60 ./cache):
//
//	                       cache      sync.Map alone    mutex, map and list
//	                     hot  zipf      hot  zipf           hot  zipf
//	struct with float64   76   113       27    50            31    62
//	integers alone        55    90       18    42            24    49
//	string                45    86       11    30            17    32
//
// So a hit costs two to four times a bare look-up, for the clock (23) and the hash that chooses the
// shard (4 to 17). The mutex is as quick as long as one goroutine has it to itself.
//
// Memory beyond key and value: 192 bytes an entry; [Stats] counts the whole within 3 % of the
// heap's growth (go test -run BytesMatchHeap -v ./cache). A miss allocates 5 times: entry, key and
// leaf of the map, flight, context.
package cache
