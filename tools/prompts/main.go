// Command prompts makes placeholder recordings of a list of words with a speech synthesiser, and
// checks folders of recordings. images/prompts/speak.sh calls it:
//
//	prompts -say PROGRAM -words images/prompts/zh-CN.txt FOLDER    make FOLDER
//	prompts -check zh-CN FOLDER                                     is all there that the box needs?
//
// PROGRAM gets what is to be said as its last argument and writes a WAV file to its output. What
// comes is brought to 8 kHz and to the loudness of the English recordings, its silence cut off. It
// ends with 1 where something is wrong. Start at run; sound.go has the arithmetic.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"branchline/hal/dsp"
	"branchline/pbx/prompt"
)

const oneRecording = 30 * time.Second // that the synthesiser may take

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "prompts:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("prompts", flag.ContinueOnError)
	say := flags.String("say", "", "program that speaks")
	words := flags.String("words", "", "list of what to say: name, tab, words, tab, how they are spoken")
	check := flags.String("check", "", "language of a folder that is there already")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() != 1 || (*check == "") == (*say == "" || *words == ""):
		return errors.New("usage: prompts -say PROGRAM -words FILE FOLDER | prompts -check LANGUAGE FOLDER")
	case *check != "":
		return checkFolder(*check, flags.Arg(0), out)
	}
	list, err := os.ReadFile(*words)
	if err != nil {
		return err
	}
	lines, err := parse(string(list))
	if err != nil {
		return fmt.Errorf("%s: %w", *words, err)
	}
	for _, l := range lines {
		if err := speak(*say, l, flags.Arg(0)); err != nil {
			return fmt.Errorf("%s (%s): %w", l.name, l.words, err)
		}
	}
	fmt.Fprintf(out, "prompts: %d recordings made in %s\n", len(lines), flags.Arg(0))
	return nil
}

// line is one recording: its name, its words as people read them, and how they are spoken.
type line struct{ name, words, spoken string }

func parse(list string) (lines []line, err error) {
	for i, text := range strings.Split(list, "\n") {
		if text == "" || text[0] == '#' {
			continue
		}
		f := strings.Split(text, "\t")
		if len(f) != 3 || !filepath.IsLocal(f[0]) || f[1] == "" || f[2] == "" {
			return nil, fmt.Errorf("line %d: %q is not name, words and how they are spoken, with tabs between", i+1, text)
		}
		lines = append(lines, line{f[0], f[1], f[2]})
	}
	return lines, nil
}

// speak makes one recording in folder.
func speak(program string, l line, folder string) error {
	ctx, cancel := context.WithTimeout(context.Background(), oneRecording)
	defer cancel()
	raw, err := exec.CommandContext(ctx, program, l.spoken).Output()
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	w, err := dsp.ParseWAV(raw)
	if err != nil {
		return err
	}
	if w.Channels != 1 {
		return fmt.Errorf("%d channels, one was expected", w.Channels)
	}
	pcm := level(trim(resample(w.PCM, w.Rate)))
	if len(pcm) < rate/20 {
		return errors.New("nothing was said")
	}
	file := filepath.Join(folder, filepath.FromSlash(l.name)+".wav")
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, dsp.FormatWAV(dsp.WAV{Rate: rate, Channels: 1, PCM: pcm}), 0o666)
}

// checkFolder tells what of the box's own needs folder does not hold, or not as it must be.
func checkFolder(language, folder string, out io.Writer) error {
	names := prompt.In(language).Recordings()
	var wrong []error
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)+".wav"))
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		w, err := dsp.ParseWAV(raw)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
		case w.Rate != rate || w.Channels != 1:
			wrong = append(wrong, fmt.Errorf("%s: %d Hz and %d channels, it must have %d and one", name, w.Rate, w.Channels, rate))
		case loudness(w.PCM) < -30 || loudness(w.PCM) > -12:
			wrong = append(wrong, fmt.Errorf("%s: its loudness is %.1f dBFS, about %d was expected", name, loudness(w.PCM), loud))
		}
	}
	if len(wrong) == 0 {
		fmt.Fprintf(out, "prompts: all %d recordings that the box needs are in %s\n", len(names), folder)
	}
	return errors.Join(wrong...)
}
