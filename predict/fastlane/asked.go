package fastlane

import "net"

// Request is what an answer may depend on. Of the values of headers, found when somebody asks,
// blanks around them are not part; one that is not there is empty. It is good until Config.Answer
// returns.
type Request struct {
	Body []byte
	conn *conn
}

func (r Request) header(which int) []byte { return r.conn.work.asked.value(which, r.conn.unread()) }

// Authorization is the value of that header.
func (r Request) Authorization() []byte { return r.header(authorization) }

// APIKey is the value of X-Api-Key.
func (r Request) APIKey() []byte { return r.header(apiKey) }

// ForwardedFor is the value of X-Forwarded-For.
func (r Request) ForwardedFor() []byte { return r.header(forwardedFor) }

// Remote is the other end of the connection.
func (r Request) Remote() net.Addr { return r.conn.nc.RemoteAddr() }

// Room is empty, with room for Answer.Field to be appended to it.
func (r Request) Room() []byte { return r.conn.work.field[:0] }
