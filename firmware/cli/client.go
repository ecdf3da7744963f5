package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strings"
	"syscall"
	"time"

	"branchline/ui"
	"branchline/ui/api"
)

const (
	answerPatience = 30 * time.Second // for a whole answer that is not a stream
	quietPatience  = 45 * time.Second // of a stream: three heartbeats
	maxLine        = 4 << 20          // of one document in a stream
)

// inFolder declares the flag that every client of a box has.
func (s *session) inFolder(flags *flag.FlagSet) {
	flags.StringVar(&s.data, "data", defaultData, "folder `DIR` of the box")
}

// box is the running box in a folder.
type box struct {
	dir  string
	http *http.Client
}

func (s *session) box() *box {
	dir := s.data
	return &box{dir: dir, http: &http.Client{Transport: &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return ui.DialUnix(ctx, dir) },
		DisableKeepAlives: true,
	}}}
}

// get reads path's JSON into out.
func (b *box) get(ctx context.Context, path string, query url.Values, out any) error {
	return b.ask(ctx, http.MethodGet, path, query, "", nil, out)
}

// post sends in as JSON and reads the answer into out; out may be nil.
func (b *box) post(ctx context.Context, path string, query url.Values, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	return b.ask(ctx, http.MethodPost, path, query, "application/json", body, out)
}

// ask sends one request. out is where its JSON goes, a *[]byte for the bytes as they are, or nil.
func (b *box) ask(ctx context.Context, method, path string, query url.Values, kind string, body []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	answer, err := b.send(ctx, method, path, query, kind, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out, err = io.ReadAll(answer.Body)
	default:
		err = json.NewDecoder(answer.Body).Decode(out)
	}
	if err != nil {
		return fmt.Errorf("read the box's answer: %w", err)
	}
	return nil
}

// stream hands every document of an NDJSON stream to each, until it ends or each fails. A stream
// without any sign of life for quietPatience is an error.
func (b *box) stream(ctx context.Context, path string, query url.Values, each func(line []byte) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := time.AfterFunc(quietPatience, func() { cancel(errors.New("the box is silent; is it stopped?")) })
	defer quiet.Stop()
	answer, err := b.send(ctx, http.MethodGet, path, query, "", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		quiet.Reset(quietPatience)
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := each(lines.Bytes()); err != nil {
			return err
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return lines.Err()
}

// send opens an answer that is not a refusal; the caller closes its body. path is escaped.
func (b *box) send(ctx context.Context, method, path string, query url.Values, kind string, body []byte) (*http.Response, error) {
	where := "http://box/api/v1/" + path + "?" + query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, where, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	answer, err := b.http.Do(request)
	if err != nil {
		return nil, b.noAnswer(ctx, err)
	}
	if answer.StatusCode < 300 {
		return answer, nil
	}
	defer answer.Body.Close()
	p := &api.Problem{Status: answer.StatusCode, Detail: "the box answered " + answer.Status}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "application/problem+json") {
		if err := json.NewDecoder(io.LimitReader(answer.Body, maxLine)).Decode(p); err != nil {
			return nil, fmt.Errorf("the box answered %s, unreadable: %w", answer.Status, err)
		}
	}
	return nil, p
}

// noAnswer says in words why there is none.
func (b *box) noAnswer(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w in %s\nstart one: branchline run -board sim -data %s\nor name another folder: -data DIR", errNoBox, b.dir, b.dir)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("the box in %s belongs to another user; use that user or root", b.dir)
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return fmt.Errorf("the box in %s did not answer within %s", b.dir, answerPatience)
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("ask the box in %s: %w", b.dir, err)
}

// who is the person at the keyboard, for the box's memory of who did what.
func who() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "local"
}
