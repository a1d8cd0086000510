package memnet_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/internal/memnet"
)

// connect returns both ends of a connection.
func connect(t *testing.T, cut func() int) (client *memnet.Conn, server net.Conn) {
	t.Helper()
	l := memnet.Listen()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	client, err := l.Dial(cut)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := l.Dial(nil); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialling a closed listener: got %v", err)
	}
	return client, <-accepted
}

func TestCutAndDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := connect(t, func() int {
			time.Sleep(time.Second)
			return 3
		})
		client.Write([]byte("12345678"))
		client.CloseWrite()
		begin := time.Now()
		for _, want := range []string{"123", "456", "78"} {
			b := make([]byte, 10)
			if n, err := server.Read(b); err != nil || string(b[:n]) != want {
				t.Errorf("got %q, %v; want %q", b[:n], err, want)
			}
		}
		if n, err := server.Read(make([]byte, 10)); n > 0 || err != io.EOF {
			t.Errorf("at the end: got %d bytes, %v", n, err)
		}
		if got := time.Since(begin); got != 4*time.Second {
			t.Errorf("took %v, want 4s", got)
		}
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := connect(t, nil)
		begin := time.Now()
		server.SetReadDeadline(begin.Add(time.Second))
		server.SetReadDeadline(begin.Add(time.Minute))
		_, err := server.Read(make([]byte, 1))
		took := time.Since(begin)
		if !errors.Is(err, os.ErrDeadlineExceeded) || took != time.Minute {
			t.Errorf("read: got %v after %v", err, took)
		}
		server.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := server.Write(make([]byte, 2*memnet.Buffer))
		if n != memnet.Buffer || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: got %d, %v; want %d", n, err, memnet.Buffer)
		}
		server.SetDeadline(time.Time{})
		go client.Write([]byte("x"))
		if n, err := server.Read(make([]byte, 2)); n != 1 || err != nil {
			t.Errorf("without a deadline: got %d, %v", n, err)
		}
	})
}

func TestCloseAndReset(t *testing.T) {
	client, server := connect(t, nil)
	client.Write([]byte("before"))
	client.Close()
	if b, err := io.ReadAll(server); !bytes.Equal(b, []byte("before")) || err != nil {
		t.Errorf("after Close: got %q, %v", b, err)
	}
	if _, err := server.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("writing to a closed peer: got %v", err)
	}
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading after Close: got %v", err)
	}

	client, server = connect(t, nil)
	client.Write([]byte("lost"))
	client.Reset()
	if n, err := server.Read(make([]byte, 9)); n > 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after Reset: got %d bytes, %v", n, err)
	}
}
