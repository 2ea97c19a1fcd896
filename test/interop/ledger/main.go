// Checks a ledger with other people's code only: golang.org/x/mod (sumdb/note, sumdb/tlog) and transparency-dev's Tessera
// (fsck), formats (cosignatures). What it reads is what write-ledger.ts wrote; see README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	cosignature "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"k8s.io/klog/v2"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: ledger-interop FOLDER")
		os.Exit(2)
	}
	// fsck tells of each step; what it finds comes back as an error, with both contents of a tile in it.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "%.500s\n", err)
		os.Exit(1)
	}
}

func check(folder string) error {
	keys, err := readLines(filepath.Join(folder, "keys"))
	if err != nil {
		return err
	}
	log, err := note.NewVerifier(keys[0])
	if err != nil {
		return fmt.Errorf("the ledger's key: %w", err)
	}
	witness, err := cosignature.NewVerifierForCosignatureV1(keys[1])
	if err != nil {
		return fmt.Errorf("the witness's key: %w", err)
	}
	trees, err := checkCheckpoints(folder, log, witness)
	if err != nil {
		return err
	}
	if err := checkFiles(folder, log); err != nil {
		return err
	}
	if err := checkConsistency(folder, trees); err != nil {
		return err
	}
	return checkReceipts(folder, log)
}

// checkCheckpoints opens each published checkpoint and returns the trees they speak of.
func checkCheckpoints(folder string, log, witness note.Verifier) (map[string]tlog.Tree, error) {
	paths, err := filesOf(folder, "checkpoints/*")
	if err != nil {
		return nil, err
	}
	trees := map[string]tlog.Tree{}
	for _, path := range paths {
		tree, err := openCheckpoint(path, log, witness)
		if err != nil {
			return nil, fmt.Errorf("sumdb/note: %s: %w", path, err)
		}
		trees[filepath.Base(path)] = tree
	}
	fmt.Printf("sumdb/note opens %d checkpoints, with a cosignature each\n", len(paths))
	return trees, nil
}

func openCheckpoint(path string, log, witness note.Verifier) (tlog.Tree, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(bytes, note.VerifierList(log, witness))
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(opened.Sigs) != 2 {
		return tlog.Tree{}, fmt.Errorf("expected two signatures, found %d", len(opened.Sigs))
	}
	return treeOf(opened.Text)
}

func treeOf(text string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return tlog.Tree{}, fmt.Errorf("expected at least three lines, found %d", len(lines)-1)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

// At an older checkpoint the same files are read: the wrapper gives that checkpoint for the newest one.
type published struct {
	client.FileFetcher
	checkpoint string
}

func (p published) ReadCheckpoint(context.Context) ([]byte, error) { return os.ReadFile(p.checkpoint) }

// checkFiles runs Tessera's fsck, which makes every tile anew from the entries, at each published size.
func checkFiles(folder string, log note.Verifier) error {
	paths, err := filesOf(folder, "checkpoints/*")
	if err != nil {
		return err
	}
	files := client.FileFetcher{Root: filepath.Join(folder, "ledger")}
	// In Tessera v1.0.4 a worker ends at the first tile it finds wrong, and fsck hangs once all have ended. One wrong entry
	// makes a tile of each level wrong, so there are more workers than levels.
	options := fsck.Opts{N: 16}
	for _, path := range append(paths, filepath.Join(folder, "ledger", "checkpoint")) {
		if err := fsck.New(log.Name(), log, published{files, path}, leafHashes, options).Check(context.Background()); err != nil {
			return fmt.Errorf("tessera fsck: %s: %w", path, err)
		}
	}
	fmt.Printf("tessera fsck accepts the files at %d sizes\n", len(paths))
	return nil
}

func leafHashes(bundle []byte) ([][]byte, error) {
	var entries api.EntryBundle
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(entries.Entries))
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// checkConsistency checks proofs named <older>-<newer>, a hash a line.
func checkConsistency(folder string, trees map[string]tlog.Tree) error {
	paths, err := filesOf(folder, "consistency/*")
	if err != nil {
		return err
	}
	for _, path := range paths {
		from, to, _ := strings.Cut(filepath.Base(path), "-")
		older, newer := trees[from], trees[to]
		proof, err := readHashes(path)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, newer.N, newer.Hash, older.N, older.Hash); err != nil {
			return fmt.Errorf("sumdb/tlog: %s: %w", path, err)
		}
	}
	fmt.Printf("sumdb/tlog accepts %d consistency proofs\n", len(paths))
	return nil
}

// checkReceipts checks each receipt against the entry beside it.
func checkReceipts(folder string, log note.Verifier) error {
	paths, err := filesOf(folder, "receipts/*.tlog-proof")
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := checkReceipt(path, log); err != nil {
			return fmt.Errorf("sumdb/tlog: %s: %w", path, err)
		}
	}
	fmt.Printf("sumdb/tlog accepts %d receipts\n", len(paths))
	return nil
}

func checkReceipt(path string, log note.Verifier) error {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(strings.TrimSuffix(path, ".tlog-proof") + ".entry")
	if err != nil {
		return err
	}
	head, checkpoint, _ := strings.Cut(string(bytes), "\n\n")
	lines := strings.Split(head, "\n")
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("not a receipt")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	proof, err := parseHashes(lines[2:])
	if err != nil {
		return err
	}
	opened, err := note.Open([]byte(checkpoint), note.VerifierList(log))
	if err != nil {
		return err
	}
	tree, err := treeOf(opened.Text)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

// filesOf finds at least one file, so that nothing passes for having been left out.
func filesOf(folder, pattern string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(folder, pattern))
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("expected files %s in %s, found none", pattern, folder)
	}
	return paths, err
}

func readLines(path string) ([]string, error) {
	bytes, err := os.ReadFile(path)
	return strings.Split(strings.TrimSuffix(string(bytes), "\n"), "\n"), err
}

func readHashes(path string) ([]tlog.Hash, error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	return parseHashes(lines)
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	hashes := []tlog.Hash{}
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}
