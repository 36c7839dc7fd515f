package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// standardOutput is what flags call it.
const standardOutput = "-"

// outputFile is a report that is written once everything is over, as a whole or
// not at all.
type outputFile struct {
	flag, name string
	form       func(report.Full, io.Writer) error
}

// probe finds out whether the file can be written, and leaves nothing behind:
// nobody performs a long story to learn that its report has nowhere to go.
func (o *outputFile) probe() error {
	if o.name == standardOutput {
		return nil
	}
	info, err := os.Stat(o.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		var beside *os.File
		if beside, err = o.beside(); err == nil {
			err = errors.Join(beside.Close(), os.Remove(beside.Name()))
		}
	case err == nil && info.IsDir():
		err = errors.New("is a directory")
	case err == nil && info.Mode().IsRegular():
		var file *os.File
		if file, err = os.OpenFile(o.name, os.O_WRONLY, 0); err == nil {
			err = file.Close()
		}
	}
	return o.unwritable(err)
}

func (o *outputFile) write(stdout io.Writer, full report.Full) error {
	var text bytes.Buffer
	if err := o.form(full, &text); err != nil {
		return o.unwritable(err)
	}
	if o.name == standardOutput {
		_, err := stdout.Write(text.Bytes())
		return err
	}
	return o.unwritable(o.replace(text.Bytes()))
}

// replace writes beside the file and renames. Where that is no way, as for a pipe
// or a file that is mounted alone, it writes at once.
func (o *outputFile) replace(text []byte) error {
	if info, err := os.Stat(o.name); err == nil && !info.Mode().IsRegular() {
		return overwrite(o.name, text)
	}
	file, err := o.beside()
	if err != nil {
		return overwrite(o.name, text)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	target := o.name
	if resolved, err := filepath.EvalSymlinks(o.name); err == nil {
		target = resolved
	}
	if os.Rename(file.Name(), target) == nil {
		return nil
	}
	return errors.Join(overwrite(target, text), os.Remove(file.Name()))
}

func overwrite(name string, text []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

// beside creates a file of another name in the same directory, with the
// permissions that a new file gets.
func (o *outputFile) beside() (*os.File, error) {
	target := o.name
	if resolved, err := filepath.EvalSymlinks(o.name); err == nil {
		target = resolved
	}
	for i := 0; ; i++ {
		name := filepath.Join(filepath.Dir(target), fmt.Sprintf(".%s.%d-%d.tmp", filepath.Base(target), os.Getpid(), i))
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
}

func (o *outputFile) unwritable(err error) error {
	if err == nil {
		return nil
	}
	return failed(badFlag(o.flag, "cannot write %s: %w", o.name, cause(err)))
}
