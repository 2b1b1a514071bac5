// Checks what a Signalbox log hands out with golang.org/x/mod/sumdb, which knows nothing of Signalbox.
//
//	verify_log VKEY folder DIR                  signature, entries and tiles of an export
//	verify_log VKEY proof FILE                  that the entry inside of a .tlog-proof is in the log
//	verify_log VKEY growth OLD_CHECKPOINT FILE  that the log of an old checkpoint begins the newer one
//	verify_log agree FILE                       1 or 0 for each line of a file of proofs, see README.md
//	verify_log sign TEXT                        makes a key, signs a text, prints vkey and note
package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("NOT VERIFIED: ")
	if len(os.Args) < 3 {
		log.Fatal("the first lines of verify_log.go say how to call it")
	}
	switch {
	case os.Args[1] == "agree":
		agree(os.Args[2])
		return
	case os.Args[1] == "sign":
		sign(os.Args[2])
		return
	case os.Args[2] == "folder" && len(os.Args) == 4:
		must(folder(os.Args[1], os.Args[3]))
	case os.Args[2] == "proof" && len(os.Args) == 4:
		must(proof(os.Args[1], os.Args[3]))
	case os.Args[2] == "growth" && len(os.Args) == 5:
		must(growth(os.Args[1], os.Args[3], os.Args[4]))
	default:
		log.Fatal("the first lines of verify_log.go say how to call it")
	}
	fmt.Println("verified")
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// opened is the tree of a checkpoint that the key signed.
func opened(text []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != verifier.Name() {
		return tlog.Tree{}, errors.New("a checkpoint of " + origin)
	}
	// Go's own database has a fixed first line in place of an origin.
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

// tiles reads a folder; C2SP has no height in the path and another name for entries.
type tiles string

func (t tiles) Height() int                         { return 8 }
func (t tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(t), strings.Replace(path, "tile/data/", "tile/entries/", 1)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func folder(vkey, dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := opened(text, vkey)
	if err != nil {
		return err
	}
	// Every hash that this reader gives was checked against the root.
	reader := tlog.TileHashReader(tree, tiles(dir))
	var index int64
	for bundle := int64(0); index < tree.N; bundle++ {
		width := tree.N - bundle*256
		if width > 256 {
			width = 256
		}
		data, err := tiles(dir).ReadTiles([]tlog.Tile{{H: 8, L: -1, N: bundle, W: int(width)}})
		if err != nil {
			return err
		}
		var places []int64
		var hashes []tlog.Hash
		for rest := data[0]; len(rest) > 0; index++ {
			if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
				return errors.New("a torn bundle of entries")
			}
			end := 2 + int(binary.BigEndian.Uint16(rest))
			hashes = append(hashes, tlog.RecordHash(rest[2:end]))
			places = append(places, tlog.StoredHashIndex(0, index))
			rest = rest[end:]
		}
		if int64(len(hashes)) != width {
			return fmt.Errorf("%d entries in bundle %d", len(hashes), bundle)
		}
		stored, err := reader.ReadHashes(places)
		if err != nil {
			return err
		}
		for at, hash := range hashes {
			if hash != stored[at] {
				return fmt.Errorf("entry %d is not the one in the tree", bundle*256+int64(at))
			}
		}
	}
	return nil
}

// handed is a proof's first lines, its path, and the tree of its checkpoint.
func handed(vkey, file string, lines int) ([]string, []tlog.Hash, tlog.Tree, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, tlog.Tree{}, err
	}
	head, text, _ := bytes.Cut(data, []byte("\n\n"))
	words := strings.Split(string(head), "\n")
	if len(words) < lines {
		return nil, nil, tlog.Tree{}, errors.New("not a proof")
	}
	var path []tlog.Hash
	for _, word := range words[lines:] {
		hash, err := tlog.ParseHash(word)
		if err != nil {
			return nil, nil, tlog.Tree{}, err
		}
		path = append(path, hash)
	}
	tree, err := opened(text, vkey)
	return words[:lines], path, tree, err
}

func proof(vkey, file string) error {
	words, path, tree, err := handed(vkey, file, 3)
	if err != nil {
		return err
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(words[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(words[2], "index "), 10, 64)
	if err != nil || words[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a proof")
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func growth(vkey, before, file string) error {
	text, err := os.ReadFile(before)
	if err != nil {
		return err
	}
	old, err := opened(text, vkey)
	if err != nil {
		return err
	}
	words, path, tree, err := handed(vkey, file, 1)
	if err != nil {
		return err
	}
	if words[0] != fmt.Sprint("old ", old.N) {
		return errors.New("a proof for another size")
	}
	return tlog.CheckTree(path, tree.N, tree.Hash, old.N, old.Hash)
}

func agree(file string) {
	input, err := os.Open(file)
	must(err)
	lines := bufio.NewScanner(input)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		verdict := 0
		if holds(strings.Split(lines.Text(), " ")) {
			verdict = 1
		}
		fmt.Println(verdict)
	}
	must(lines.Err())
}

func holds(words []string) bool {
	if words[0] == "note" {
		text, err := hex.DecodeString(words[2])
		must(err)
		_, err = opened(text, words[1])
		return err == nil
	}
	first, err := strconv.ParseInt(words[1], 10, 64)
	must(err)
	second, err := strconv.ParseInt(words[2], 10, 64)
	must(err)
	var path []tlog.Hash
	for _, word := range strings.Split(words[5], ",") {
		if word != "" {
			path = append(path, hash(word))
		}
	}
	if words[0] == "inclusion" {
		return tlog.CheckRecord(path, second, hash(words[4]), first, hash(words[3])) == nil
	}
	return tlog.CheckTree(path, second, hash(words[4]), first, hash(words[3])) == nil
}

func hash(text string) (hash tlog.Hash) {
	data, err := hex.DecodeString(text)
	must(err)
	copy(hash[:], data)
	return hash
}

func sign(text string) {
	private, public, err := note.GenerateKey(rand.Reader, "signalbox.test/log")
	must(err)
	signer, err := note.NewSigner(private)
	must(err)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	must(err)
	fmt.Printf("%s\n%s\n%s", private, public, signed)
}
