package fastlane

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// head is the headers of a reply as net/http orders them: those of the handler by name, then its
// own. Between the parts go a Content-Length that the handler has set, a value for Config.Field,
// and an X-Request-Id.
type head struct{ toLength, toField, toID, rest string }

func newHead(status int, header http.Header, field string, closes bool) head {
	h := maps.Clone(header)
	if closes {
		h["Connection"] = []string{"close"}
	}
	if field != "" {
		h[field] = nil
	}
	var parts [4]strings.Builder
	parts[0].WriteString("HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) +
		"\r\n")
	for _, name := range slices.Sorted(maps.Keys(h)) {
		part := &parts[0]
		switch {
		case name > "X-Request-Id":
			part = &parts[3]
		case field != "" && name > field:
			part = &parts[2]
		case name > "Content-Length":
			part = &parts[1]
		}
		for _, value := range h[name] {
			part.WriteString(name + ": " + value + "\r\n")
		}
		if name == field {
			part.WriteString(name + ": ")
			parts[2].WriteString("\r\n")
		}
	}
	parts[3].WriteString("Date: ")
	return head{parts[0].String(), parts[1].String(), parts[2].String(), parts[3].String()}
}

// buffered is how long a body may be for net/http to see its length by itself, and to put it behind
// the Date; of a longer one the handler must have set it.
const buffered = 2048

// appendReply appends a whole reply. The id is what was appended for X-Request-Id, the client's own
// if there is one, or nil.
func (l *Lane) appendReply(b []byte, h *head, own, field, body []byte, now time.Duration) (reply,
	id []byte) {
	b = append(b, h.toLength...)
	if len(body) > buffered {
		b = appendLength(b, len(body))
	}
	b = append(b, h.toField...)
	b = append(b, field...)
	b = append(b, h.toID...)
	from, to := 0, 0
	if l.cfg.RequestID != nil {
		b = append(b, "X-Request-Id: "...)
		from = len(b)
		if len(own) > 0 {
			b = append(b, own...)
		} else {
			b = l.cfg.RequestID(b)
		}
		to = len(b)
		b = append(b, "\r\n"...)
	}
	b = append(b, h.rest...)
	b = append(b, l.date(now)...)
	b = append(b, "\r\n"...)
	if len(body) <= buffered {
		b = appendLength(b, len(body))
	}
	b = append(b, "\r\n"...)
	b = append(b, body...)
	return b, b[from:to]
}

func appendLength(b []byte, n int) []byte {
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, "\r\n"...)
}

// stamp is a Date and the time until which it is right. It is made by whoever first needs it in a
// second.
type stamp struct {
	text  string
	until time.Duration
}

func (l *Lane) date(now time.Duration) string {
	s := l.stamp.Load()
	if s == nil || now >= s.until {
		t := time.Now()
		s = &stamp{t.UTC().Format(http.TimeFormat),
			now + time.Second - time.Duration(t.Nanosecond())}
		l.stamp.Store(s)
	}
	return s.text
}
