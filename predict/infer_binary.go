package predict

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
)

// The binary data extension of the protocol puts tensors behind the JSON, little-endian and one
// after the other. Each of these funcs takes one value from the front of b, of which some is left.
// The length of the value is 0 if b ends before it does.

// cutText takes a string behind its length.
func cutText(_ string, b []byte) (inferText, int) {
	const head = 4
	if len(b) < head {
		return nil, 0
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-head) {
		return nil, 0
	}
	return b[head : head+n : head+n], int(head + n)
}

// cutInt takes a little-endian integer of a datatype such as UINT16.
func cutInt(datatype string, b []byte) (int64, int) {
	bits, _ := strconv.Atoi(strings.TrimLeft(datatype, "UINTFP"))
	size := bits / 8
	if len(b) < size {
		return 0, 0
	}
	var wide [8]byte
	copy(wide[8-size:], b[:size])
	n := int64(binary.LittleEndian.Uint64(wide[:]))
	if datatype[0] == 'I' {
		return n >> (64 - bits), size
	}
	return int64(min(uint64(n)>>(64-bits), math.MaxInt64)), size
}

func cutFloat(datatype string, b []byte) (float64, int) {
	n, size := cutInt(datatype, b)
	if datatype == "FP32" {
		return float64(math.Float32frombits(uint32(n))), size
	}
	if size == 0 {
		return 0, 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), size
}

// appendText appends a string as binary tensors hold it.
func appendText(dst, text []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(text))), text...)
}

func appendFP64(dst []byte, x float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
}
