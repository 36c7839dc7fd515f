package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// A File is the journal on disk: JSON lines, one for each settled entry, in the
// order in which they were settled. Each line is written at once and whole, so
// that after a crash at most the last one is torn.
type File struct {
	mu   sync.Mutex
	file *os.File
	err  error // the first that writing had; nothing is written after it
	// failed is told of that error.
	failed func(error)
}

// OpenFile opens a journal on disk to append to it, or makes it. If its last
// line is torn, that is removed: mended is how many bytes it had. An error of
// writing is told to failed, once; nothing is written after it.
func OpenFile(name string, failed func(error)) (f *File, mended int64, err error) {
	// A pipe that nobody reads would hold up whoever is to be recorded.
	if info, err := os.Stat(name); err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0 {
		return nil, 0, fmt.Errorf("%s is a pipe or a socket; name a file", name)
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, err
	}
	whole, size, err := wholeLines(file)
	if err == nil && whole < size {
		err = file.Truncate(whole)
	}
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	return &File{file: file, failed: failed}, size - whole, nil
}

// wholeLines returns how many bytes of the file are in lines that are whole.
func wholeLines(file *os.File) (whole, size int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return 0, 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, 0, nil // a device: there is nothing to mend
	}
	size = info.Size()
	buf := make([]byte, 64<<10)
	for end := size; end > 0; {
		begin := max(end-int64(len(buf)), 0)
		n, err := file.ReadAt(buf[:end-begin], begin)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return begin + int64(i) + 1, size, nil
		}
		end = begin
	}
	return 0, size, nil
}

// line is an entry on disk.
type line struct {
	Seq       uint64     `json:"seq"`
	Call      *Call      `json:"call,omitempty"`
	Challenge *Challenge `json:"challenge,omitempty"`
	Delivery  *Delivery  `json:"delivery,omitempty"`
}

func (f *File) append(e *entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if f.err = enc.Encode(line{e.seq, e.call, e.challenge, e.delivery}); f.err == nil {
		_, f.err = f.file.Write(b.Bytes())
	}
	if f.err != nil {
		f.failed(f.err)
	}
}

// Close closes the file and returns the first error that there was. What comes
// later is not written.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := errors.Join(f.err, f.file.Close())
	f.err = os.ErrClosed
	return err
}
