package limits

import (
	"fmt"
	"math"
)

// spareFiles are for the listeners, the poller, the log, and what a reload opens: files, or
// connections to where the prices are.
const spareFiles = 40

// Conns returns how many of the connections that are wanted have a descriptor, when others are
// reserved for more connections elsewhere; 0 wanted means as many as possible, 0 files unknown.
// extra is how many may be open beyond a number of connections for a moment. It is an error if
// there are fewer than leastConns, or than are wanted.
func Conns(wanted int, files uint64, reserved int, extra func(conns int) int) (int, error) {
	if files == 0 || files >= math.MaxInt32 {
		return wanted, nil
	}
	most := int(fit(int64(files)-spareFiles-int64(reserved), extra))
	least := leastConns
	if wanted > 0 {
		most, least = min(most, wanted), min(least, wanted)
	}
	if most < least {
		return 0, fmt.Errorf("the limit of open files is %d, which is too low for %d connections: "+
			"it must be %d or more (ulimit -n)", files, least,
			spareFiles+reserved+least+extra(least))
	}
	return most, nil
}
